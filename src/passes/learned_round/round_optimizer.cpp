#include "passes/learned_round/round_optimizer.h"

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "base/threads.h"
#include "base/vector_loop.h"

namespace ptq::passes {
namespace {

constexpr float kMeanDecay = 0.9F;
constexpr float kSquareDecay = 0.999F;
constexpr float kEpsilon = 1e-8F;

/// Divisors of the two moments after some steps; the second one is a root.
struct AdamStep {
  float rate_over_mean;
  float root_of_square;
};

constexpr VectorLoop adam = [](float* v, const float* g, float* mean, float* square, int64_t count,
                               AdamStep step) {
  for (int64_t i = 0; i < count; ++i) {
    mean[i] = kMeanDecay * mean[i] + (1 - kMeanDecay) * g[i];
    square[i] = kSquareDecay * square[i] + (1 - kSquareDecay) * g[i] * g[i];
    v[i] -= step.rate_over_mean * mean[i] / (std::sqrt(square[i]) / step.root_of_square + kEpsilon);
  }
};

constexpr VectorLoop sign_sgd = [](float* v, const float* g, int64_t count, float rate) {
  for (int64_t i = 0; i < count; ++i) v[i] -= g[i] > 0 ? rate : g[i] < 0 ? -rate : 0;
};

}  // namespace

RoundOptimizer::RoundOptimizer(RoundingOptimizer kind, int64_t variables) : kind_(kind) {
  if (kind == RoundingOptimizer::kSignSgd) return;
  mean_ = at::zeros({variables});
  square_ = at::zeros({variables});
}

void RoundOptimizer::step(at::Tensor& v, const at::Tensor& gradient, double learning_rate) {
  ++steps_;
  float* to = v.data_ptr<float>();
  const float* g = gradient.data_ptr<float>();
  if (kind_ == RoundingOptimizer::kSignSgd) {
    sign_sgd(to, g, v.numel(), static_cast<float>(learning_rate));
    return;
  }
  const auto steps = static_cast<double>(steps_);
  const AdamStep step{static_cast<float>(learning_rate / (1 - std::pow(double{kMeanDecay}, steps))),
                      static_cast<float>(std::sqrt(1 - std::pow(double{kSquareDecay}, steps)))};
  float* mean = mean_.data_ptr<float>();
  float* square = square_.data_ptr<float>();
  at::parallel_for(0, v.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    adam(to + begin, g + begin, mean + begin, square + begin, end - begin, step);
  });
}

}  // namespace ptq::passes
