#include "passes/learned_round/round_optimizer.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

namespace ptq::passes {
namespace {

/// Algorithm 1 of the Adam paper for one number.
class AdamByHand {
 public:
  explicit AdamByHand(double v) : v_(v) {}
  double step(double g, double rate) {
    ++t_;
    m_ = 0.9 * m_ + 0.1 * g;
    u_ = 0.999 * u_ + 0.001 * g * g;
    const double m = m_ / (1 - std::pow(0.9, t_));
    const double u = u_ / (1 - std::pow(0.999, t_));
    return v_ -= rate * m / (std::sqrt(u) + 1e-8);
  }

 private:
  double v_;
  double m_ = 0;
  double u_ = 0;
  int t_ = 0;
};

TEST(RoundOptimizer, TakesAdamsSteps) {
  RoundOptimizer optimizer(RoundingOptimizer::kAdam, 2);
  at::Tensor v = at::tensor({0.5F, -1.0F});
  AdamByHand first(0.5);
  AdamByHand second(-1);
  const std::vector<std::pair<float, float>> gradients = {{0.3F, -2}, {-0.1F, -1}, {0.7F, 4}};
  double rate = 0.01;
  for (const auto& [a, b] : gradients) {
    optimizer.step(v, at::tensor({a, b}), rate);
    EXPECT_NEAR(v[0].item<float>(), first.step(double{a}, rate), 1e-6);
    EXPECT_NEAR(v[1].item<float>(), second.step(double{b}, rate), 1e-6);
    rate /= 2;
  }
}

TEST(RoundOptimizer, MovesByTheRateAgainstTheSign) {
  RoundOptimizer optimizer(RoundingOptimizer::kSignSgd, 3);
  at::Tensor v = at::tensor({0.5F, 0.5F, 0.5F});
  optimizer.step(v, at::tensor({1e-9F, -7.0F, 0.0F}), 0.125);
  EXPECT_EQ(v[0].item<float>(), 0.375F);
  EXPECT_EQ(v[1].item<float>(), 0.625F);
  EXPECT_EQ(v[2].item<float>(), 0.5F);
}

}  // namespace
}  // namespace ptq::passes
