#include "runtime/steps/float_functions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ptq::runtime {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(FloatFunctions, ExponentialIsRightToFourUnitsInTheLastPlace) {
  for (float x = -87; x <= 88; x += 1.0F / 1024) {
    const double exact = std::exp(double{x});
    const double unit = std::ldexp(1.0, std::ilogb(exact) - 23);
    ASSERT_LE(std::abs(exponential(x) - exact), 4 * unit) << x;
  }
}

TEST(FloatFunctions, ExponentialHasBounds) {
  EXPECT_EQ(exponential(-kInfinity), exponential(-87));
  EXPECT_EQ(exponential(kInfinity), exponential(88));
  EXPECT_TRUE(std::isnan(exponential(kNan)));
}

TEST(FloatFunctions, LogisticAndErrorFunctionAreRightToAMillionth) {
  for (float x = -20; x <= 20; x += 1.0F / 1024) {
    ASSERT_NEAR(logistic(x), 1 / (1 + std::exp(double{-x})), 1e-6) << x;
    ASSERT_NEAR(error_function(x), std::erf(double{x}), 1e-6) << x;
  }
}

}  // namespace
}  // namespace ptq::runtime
