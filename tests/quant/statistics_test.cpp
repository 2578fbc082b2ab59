#include "quant/statistics.h"

#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ptq/base/error.h"

namespace ptq::quant {
namespace {

float by_sorting(const at::Tensor& x, double percentile) {
  const at::Tensor sorted = std::get<0>(x.abs().flatten().sort());
  return sorted[percentile_rank(percentile, x.numel()) - 1].item<float>();
}

float in_pieces(const at::Tensor& x, double percentile, int64_t piece) {
  AbsPercentile statistic(percentile, x.numel());
  for (int64_t begin = 0; begin < x.numel(); begin += piece) {
    statistic.add(x.data_ptr<float>() + begin, std::min(piece, x.numel() - begin));
  }
  return statistic.result();
}

TEST(PercentileRank, RoundsHalfUpAndStaysInRange) {
  EXPECT_EQ(percentile_rank(100, 10), 10);
  EXPECT_EQ(percentile_rank(99.999, 10), 10);
  EXPECT_EQ(percentile_rank(90, 96), 86);  // floor(86.4 + 0.5)
  EXPECT_EQ(percentile_rank(50, 5), 3);    // floor(2.5 + 0.5)
  EXPECT_EQ(percentile_rank(0.001, 10), 1);
}

TEST(LowPercentileRank, RoundsUpAndStaysInRange) {
  EXPECT_EQ(low_percentile_rank(90, 96), 10);  // ceil(9.6)
  EXPECT_EQ(low_percentile_rank(100, 10), 1);
  EXPECT_EQ(low_percentile_rank(0, 10), 10);
  // 100 - 99.999 is slightly more than 0.001, so what should be 1 becomes 2.
  EXPECT_EQ(low_percentile_rank(99.999, 100000), 2);
}

TEST(AbsPercentile, EqualsSortingForAnyPieces) {
  const at::Tensor x = at::rand({100003}).sub(0.4).pow(3);
  for (const double percentile : {100.0, 99.999, 99.9, 90.0, 50.0, 1.0}) {
    const float expected = by_sorting(x, percentile);
    for (const int64_t piece : {int64_t{1} << 20, int64_t{997}, int64_t{64}}) {
      EXPECT_EQ(in_pieces(x, percentile, piece), expected) << percentile << " " << piece;
    }
  }
}

TEST(AbsPercentile, EqualsSortingWhenValuesGrow) {
  const at::Tensor x = std::get<0>(at::rand({200000}).sort());
  EXPECT_EQ(in_pieces(x, 99.99, 1000), by_sorting(x, 99.99));
}

TEST(AbsPercentile, MergesLanes) {
  const at::Tensor x = at::rand({50000}).sub(0.5);
  for (const double percentile : {99.99, 60.0}) {
    AbsPercentile a(percentile, x.numel());
    AbsPercentile b(percentile, x.numel());
    a.add(x.data_ptr<float>(), 12345);
    b.add(x.data_ptr<float>() + 12345, x.numel() - 12345);
    a.merge(b);
    EXPECT_EQ(a.result(), by_sorting(x, percentile));
  }
}

TEST(AbsPercentile, HandlesEqualValuesAndZeros) {
  EXPECT_EQ(in_pieces(at::zeros({5000}), 99, 64), 0);
  EXPECT_EQ(in_pieces(at::full({5000}, -2.5), 99, 64), 2.5F);
}

TEST(AbsPercentile, ShowsNanAsNotFinite) {
  at::Tensor x = at::rand({1000});
  x[17] = std::nanf("");
  EXPECT_TRUE(std::isnan(in_pieces(x, 100, 100)));
}

TEST(AbsPercentile, ShowsWhatIsNotFiniteAboveThePercentile) {
  at::Tensor x = at::rand({1000});
  x[17] = -std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isinf(in_pieces(x, 90, 100)));
}

TEST(AbsPercentile, RefusesAnIncompleteBatch) {
  AbsPercentile statistic(99, 10);
  const float values[4] = {1, 2, 3, 4};
  statistic.add(values, 4);
  EXPECT_THROW(statistic.result(), InternalError);
}

TEST(RunningMean, IsThePlainMeanOfAllCalls) {
  RunningMean mean;
  for (const float statistic : {1.0F, 2.0F, 6.0F}) mean.add(statistic);
  EXPECT_FLOAT_EQ(mean.value(), 3);
  EXPECT_EQ(mean.calls(), 3);
}

TEST(RunningMean, ClampsEachStatisticFromBelow) {
  RunningMean mean;
  mean.add(0);
  EXPECT_EQ(mean.value(), kSmallestScale);
}

TEST(RunningMean, IsOneBeforeTheFirstCall) { EXPECT_EQ(RunningMean().value(), 1); }

TEST(RunningMean, OfZeroPointsKeepsNegativeNumbers) {
  RunningMean mean(RunningMean::Of::kZeroPoint);
  EXPECT_EQ(mean.value(), 0);
  for (const float statistic : {-1.0F, -2.0F, 0.0F}) mean.add(statistic);
  EXPECT_FLOAT_EQ(mean.value(), -1);
}

}  // namespace
}  // namespace ptq::quant
