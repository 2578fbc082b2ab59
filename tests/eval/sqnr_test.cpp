#include "eval/sqnr.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

TEST(Sqnr, IsTenTimesTheLogarithmOfTheRatio) {
  EXPECT_DOUBLE_EQ(decibels(100, 1), 20);
  EXPECT_DOUBLE_EQ(decibels(1, 1000), -30);
  EXPECT_EQ(decibels(1, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(decibels(0, 1), -std::numeric_limits<double>::infinity());
}

TEST(Sqnr, IsAveragedOverImagesNotOverLogits) {
  at::Tensor exact = at::full({2, 4}, 10.0F), quantized = exact.clone();
  quantized.select(0, 0).add_(1);    // 20 dB
  quantized.select(0, 1).add_(0.1);  // 40 dB
  EXPECT_NEAR(mean_sqnr(exact, quantized), 30, 1e-4);
}

TEST(Sqnr, CountsAnImageWithoutNoiseAsALargeNumber) {
  const at::Tensor exact = at::full({2, 4}, 10.0F);
  at::Tensor quantized = exact.clone();
  quantized.select(0, 0).add_(1);
  EXPECT_NEAR(mean_sqnr(exact, quantized), (20 + kNoNoise) / 2, 1e-4);
}

TEST(Sqnr, OfARowDoesNotDependOnOthers) {
  at::Tensor exact = at::full({2, 4}, 10.0F), quantized = exact.clone();
  quantized.select(0, 1).add_(1);
  EXPECT_EQ(row_sqnrs(exact, quantized).at(0), kNoNoise);
  EXPECT_NEAR(row_sqnrs(exact, quantized).at(1), 20, 1e-4);
}

TEST(Sqnr, IsNoNumberWhereLogitsAreNone) {
  at::Tensor broken = at::zeros({1, 4});
  broken.fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(std::isnan(mean_sqnr(at::full({1, 4}, 1.0F), broken)));
}

TEST(Sqnr, RefusesLogitsOfDifferentSizes) {
  EXPECT_THROW(mean_sqnr(at::zeros({2, 4}), at::zeros({2, 5})), InternalError);
}

}  // namespace
}  // namespace ptq::eval
