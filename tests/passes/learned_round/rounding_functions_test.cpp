#include "passes/learned_round/rounding_functions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "passes/learned_round/regulariser.h"

namespace ptq::passes {
namespace {

/// Central difference of a function of one float.
template <class Function>
double slope(Function function, float at, float step = 1e-2F) {
  return (double{function(at + step)} - double{function(at - step)}) / (2 * double{step});
}

TEST(RoundingFunctions, HaveAnExponentialAndALogarithmAsGoodAsFloats) {
  for (double x = -80; x < 80; x += 0.037) {
    const auto in = static_cast<float>(x);
    EXPECT_NEAR(exp_of(in) / std::exp(double{in}), 1, 3e-7) << x;
  }
  for (double x = 1e-30; x < 1e30; x *= 1.013) {
    const auto in = static_cast<float>(x);
    EXPECT_NEAR(log_of(in), std::log(double{in}), 3e-7 * std::max(1.0, std::abs(std::log(x))));
  }
}

TEST(RoundingFunctions, HaveTheSlopesOfFiniteDifferences) {
  // Away from where hard sigmoid begins to clip, at |v| = ln 11.
  for (const float v : {-4.0F, -2.1F, -0.7F, 0.0F, 0.4F, 1.9F, 3.5F}) {
    EXPECT_NEAR(sigmoid_round(v).slope, slope([](float x) { return sigmoid_round(x).value; }, v),
                2e-5);
    EXPECT_NEAR(hard_sigmoid_round(v).slope,
                slope([](float x) { return hard_sigmoid_round(x).value; }, v), 2e-5);
  }
  EXPECT_EQ(linear_round(0.2F).slope, 1);
}

TEST(RoundingFunctions, HaveARegulariserWithTheSlopeOfFiniteDifferences) {
  for (const float beta : {2.0F, 5.5F, 20.0F}) {
    for (const float h : {0.05F, 0.3F, 0.45F, 0.62F, 0.9F}) {
      const double expected = slope([&](float x) { return indecision(x, beta).value; }, h, 1e-3F);
      EXPECT_NEAR(indecision(h, beta).slope, expected, 0.005 * std::abs(expected) + 5e-4);
      EXPECT_NEAR(indecision(h, beta).value,
                  1 - std::pow(std::abs(2 * double{h} - 1), double{beta}), 1e-6);
    }
  }
  EXPECT_NEAR(indecision(0, 7).value, 0, 1e-6);
  EXPECT_NEAR(indecision(1, 7).value, 0, 1e-6);
}

TEST(RoundingFunctions, StartAtTheFractionOfTheWeight) {
  for (const float fraction : {0.0F, 0.01F, 0.3F, 0.5F, 0.77F, 0.99F}) {
    EXPECT_NEAR(hard_sigmoid_round(hard_sigmoid_start(fraction)).value, fraction, 1e-6);
    EXPECT_NEAR(sigmoid_round(sigmoid_start(fraction)).value, fraction, 2e-4);
  }
}

TEST(RoundingFunctions, ClipAtZeroOneAndHalf) {
  EXPECT_EQ(hard_sigmoid_round(-5).value, 0);
  EXPECT_EQ(hard_sigmoid_round(5).value, 1);
  EXPECT_EQ(hard_sigmoid_round(5).slope, 0);
  EXPECT_EQ(linear_round(0.7F).value, 0.5F);
  EXPECT_EQ(linear_round(-3).value, -0.5F);
}

/// The reference's schedule, written out for its 1000 steps.
TEST(Regulariser, BeginsAfterAFifthAndFallsFromTwentyToTwo) {
  EXPECT_EQ(regulariser_at(199, 1000).weight, 0);
  EXPECT_FLOAT_EQ(regulariser_at(200, 1000).weight, 0.01F);
  EXPECT_FLOAT_EQ(regulariser_at(200, 1000).beta, 20);
  EXPECT_FLOAT_EQ(regulariser_at(600, 1000).beta, 11);
  EXPECT_FLOAT_EQ(regulariser_at(1000, 1000).beta, 2);
}

TEST(Regulariser, FollowsTheNumberOfSteps) {
  EXPECT_EQ(regulariser_at(19, 100).weight, 0);
  EXPECT_FLOAT_EQ(regulariser_at(60, 100).beta, regulariser_at(6000, 10000).beta);
}

TEST(LinearSchedule, FallsFromOneTowardsZero) {
  EXPECT_DOUBLE_EQ(linear_share(1, 4), 1);
  EXPECT_DOUBLE_EQ(linear_share(2, 4), 0.75);
  EXPECT_DOUBLE_EQ(linear_share(4, 4), 0.25);
}

}  // namespace
}  // namespace ptq::passes
