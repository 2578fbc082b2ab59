#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "appendix_a.h"
#include "ptq/base/error.h"
#include "short_forms.h"

namespace ptq::quant {
namespace {

using namespace testing;

/// Every combination of the tables of reference-contract 2.3, and their axes.
std::vector<Quantizer> all_quantizers() {
  std::vector<Quantizer> all;
  for (const Calibration calibration : {kStatistics, kMse, kHqo}) {
    for (const Granularity granularity : {kTensor, kChannel}) {
      all.push_back(weight_quantizer(full(4), granularity, calibration));
      all.push_back(weight_quantizer(unsigned_codes(4), granularity, calibration));
      if (calibration == kHqo) continue;
      all.push_back(weight_quantizer(full(4), granularity, calibration, kPowers));
      all.push_back(weight_quantizer(MinifloatFormat{2, 3}, granularity, calibration));
    }
    if (calibration == kHqo) continue;
    all.push_back(weight_quantizer(full(4), kGroup, calibration, kPowers));
    all.push_back(weight_quantizer(unsigned_codes(4), kGroup, calibration, kPowers));
    all.push_back(weight_quantizer(MinifloatFormat{2, 1, kOcp}, kGroup, calibration, kPowers));
  }
  return all;
}

class EveryWeightQuantizer : public ::testing::TestWithParam<Quantizer> {};

TEST_P(EveryWeightQuantizer, OfATransposedConvolutionIsThatOfTheTransposedWeight) {
  const at::Tensor weight = weight_a1();
  const at::Tensor transposed = weight.transpose(0, 1).contiguous();
  Quantizer other = GetParam();
  other.axis = 1 - other.axis;
  const QuantizerTable a = solved(weight, GetParam());
  const QuantizerTable b = solved(transposed, other);
  EXPECT_TRUE(fake_quantize_weight(weight, a, 0)
                  .allclose(fake_quantize_weight(transposed, b, 0).transpose(0, 1), 1e-6, 0));
}

TEST_P(EveryWeightQuantizer, IsIdempotent) {
  const at::Tensor weight = weight_a1();
  const QuantizerTable table = solved(weight, GetParam());
  const at::Tensor once = fake_quantize_weight(weight, table, 0);
  EXPECT_TRUE(fake_quantize_weight(once, table, 0).equal(once));
}

TEST_P(EveryWeightQuantizer, IsCodesLessZeroPointTimesScale) {
  const at::Tensor weight = weight_a1();
  const QuantizerTable table = solved(weight, GetParam());
  const auto over_weight = [&](const at::Tensor& x) {
    return x.dim() == 1 ? x.view({-1, 1, 1, 1}) : x;
  };
  at::Tensor codes = quantize_weight(weight, table, 0);
  const at::Tensor& zero_point = table.at(0).zero_point;
  EXPECT_EQ(zero_point.defined(), GetParam().symmetry == kAsymmetric);
  if (zero_point.defined()) codes = codes.sub(over_weight(zero_point));
  const at::Tensor y = fake_quantize_weight(weight, table, 0);
  EXPECT_TRUE(codes.mul(over_weight(table.scales[0].value)).equal(y));
  EXPECT_LT(y.sub(weight).abs().max().item<float>(), 0.25F);
}

TEST_P(EveryWeightQuantizer, KeepsChannelsAndWeightsOfZeros) {
  at::Tensor weight = weight_a1();
  weight[1].zero_();
  QuantizerTable table = solved(weight, GetParam());
  const bool is_fractional = GetParam().calibration == kHqo && GetParam().symmetry == kAsymmetric;
  if (!is_fractional) {
    EXPECT_TRUE(fake_quantize_weight(weight, table, 0)[1].eq(0).all().item<bool>());
  }
  weight.zero_();
  table = solved(weight, GetParam());
  EXPECT_TRUE(table.scales[0].value.gt(0).all().item<bool>());
  EXPECT_TRUE(fake_quantize_weight(weight, table, 0).equal(weight));
}

TEST_P(EveryWeightQuantizer, KeepsStrides) {
  const at::Tensor weight = weight_a1().contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor y = fake_quantize_weight(weight, solved(weight, GetParam()), 0);
  EXPECT_EQ(y.strides(), weight.strides());
  EXPECT_TRUE(
      y.allclose(fake_quantize_weight(weight_a1(), solved(weight_a1(), GetParam()), 0), 1e-6, 0));
}

INSTANTIATE_TEST_SUITE_P(Tables, EveryWeightQuantizer, ::testing::ValuesIn(all_quantizers()));

TEST(WeightScale, OfAnAllZeroChannelIsTheSmallest) {
  at::Tensor weight = at::rand({3, 4});
  weight[1].zero_();
  const at::Tensor scale = solve_weight_scale(weight, weight_quantizer(full(8), kChannel)).scale;
  EXPECT_NEAR(scale[1].item<double>(), 1e-10 / 128, 1e-18);
}

TEST(WeightScale, SaturatesTheLargestPositiveWeightInTheFullRange) {
  const at::Tensor weight = at::tensor({2.0F, -1.0F}).view({1, 2});
  const QuantizerTable table = solved(weight, weight_quantizer(full(8), kTensor));
  EXPECT_EQ(quantize_weight(weight, table, 0)[0][0].item<float>(), 127);
}

// Section 10, row 55: |max - min| without zero, and a zero point that saturates.
TEST(WeightScale, OfANegativeChannelDoesNotReachZero) {
  const at::Tensor weight = at::tensor({-3.0F, -1.0F}).view({1, 2});
  const ScaleAndZeroPoint solution =
      solve_weight_scale(weight, weight_quantizer(unsigned_codes(2), kChannel));
  EXPECT_EQ(solution.scale.item<float>(), 2.0F / 3);
  EXPECT_EQ(solution.zero_point.item<float>(), 3);
}

TEST(WeightScale, OfAShortNegativeGroupReachesTheZerosThatFillItUp) {
  const at::Tensor weight = at::full({1, 1}, -3.0);
  const QuantizerTable table =
      solved(weight, weight_quantizer(unsigned_codes(8), kGroup, kStatistics, kPowers));
  EXPECT_EQ(table.scales[0].value.item<float>(), 2.0F / 128);
  EXPECT_EQ(fake_quantize_weight(weight, table, 0).item<float>(), -3);
}

TEST(WeightScale, HasOneForEachGroupAlongTheAxis) {
  const at::Tensor weight = at::rand({5, 70, 2, 3});
  Quantizer quantizer = weight_quantizer(full(8), kGroup, kStatistics, kPowers);
  const at::Tensor scale = solve_weight_scale(weight, quantizer).scale;
  EXPECT_EQ(scale.sizes(), at::IntArrayRef({5, 3, 2, 3}));
  const float absmax = weight[4].narrow(0, 64, 6).select(1, 1).select(1, 2).max().item<float>();
  EXPECT_EQ(scale[4][2][1][2].item<float>(), std::exp2(std::floor(std::log2(absmax))) / 64);
  quantizer.axis = 0;
  EXPECT_EQ(solve_weight_scale(weight, quantizer).scale.sizes(), at::IntArrayRef({1, 70, 2, 3}));
}

TEST(WeightScale, PowersOfTwoStayPut) {
  for (int exponent = -30; exponent <= 100; ++exponent) {
    const at::Tensor weight = at::full({1, 2}, std::ldexp(1.0, exponent));
    const Quantizer tensor = weight_quantizer(full(8), kTensor, kStatistics, kPowers);
    EXPECT_EQ(solve_weight_scale(weight, tensor).scale.item<float>(),
              std::ldexp(1.0F, exponent - 7));
    const Quantizer group = weight_quantizer(full(8), kGroup, kStatistics, kPowers);
    EXPECT_EQ(solve_weight_scale(weight, group).scale.item<float>(),
              std::ldexp(1.0F, exponent - 6));
  }
}

/// Squared error of a weight at a threshold.
double error_at(const at::Tensor& weight, const Quantizer& quantizer, const at::Tensor& scale) {
  QuantizerTable table;
  table.add(quantizer);
  table.scales[0].value = scale;
  return fake_quantize_weight(weight, table, 0)
      .sub(weight)
      .square()
      .sum(at::kDouble)
      .item<double>();
}

TEST(MseSearch, IsNoWorseThanAnyCandidateOfTheGrid) {
  const at::Tensor weight = at::rand({3, 500}).sub(0.5).pow(3);
  for (const NumberFormat& format : {NumberFormat{full(3)}, NumberFormat{MinifloatFormat{2, 1}}}) {
    const Quantizer quantizer = weight_quantizer(format, kTensor, kMse);
    const double found = error_at(weight, quantizer, solve_weight_scale(weight, quantizer).scale);
    const at::Tensor absmax = solve_weight_scale(weight, weight_quantizer(format, kTensor)).scale;
    for (int i = 2; i <= 20; ++i) {
      EXPECT_LE(found, error_at(weight, quantizer, absmax.mul(i / 20.0)) * (1 + 1e-6));
    }
  }
}

// E2M1 at scale 1 turns 0.25 into 0 (a tie) and 4.2 into 4; at half that, into 0.25 and 3.
TEST(MseSearch, IsActiveForGroupsOfMinifloats) {
  at::Tensor weight = at::full({1, 32}, 0.25);
  weight[0][3] = 4.2;
  const Quantizer mse = weight_quantizer(MinifloatFormat{2, 1, kOcp}, kGroup, kMse, kPowers);
  Quantizer statistics = mse;
  statistics.calibration = kStatistics;
  EXPECT_EQ(solve_weight_scale(weight, statistics).scale.item<float>(), 1);
  EXPECT_EQ(solve_weight_scale(weight, mse).scale.item<float>(), 0.5);
}

TEST(Hqo, LowersTheMeanErrorOfScales) {
  const at::Tensor weight = at::rand({8, 300}).sub(0.5).pow(3);
  const auto error = [&](Calibration calibration) {
    const QuantizerTable table = solved(weight, weight_quantizer(full(3), kChannel, calibration));
    return sum_of_sizes(fake_quantize_weight(weight, table, 0).sub(weight));
  };
  EXPECT_LT(error(kHqo), error(kStatistics));
}

TEST(Hqo, LowersTheMeanErrorOfZeroPoints) {
  const at::Tensor weight = at::rand({8, 300}).sub(0.5).pow(3);
  QuantizerTable table = solved(weight, weight_quantizer(unsigned_codes(3), kChannel, kHqo));
  const double found = sum_of_sizes(fake_quantize_weight(weight, table, 0).sub(weight));
  const at::Tensor smallest = std::get<0>(weight.min(1));
  table.at(0).zero_point = smallest.neg().div(table.scales[0].value);
  EXPECT_LT(found, sum_of_sizes(fake_quantize_weight(weight, table, 0).sub(weight)));
}

/// Two groups of 4 and 2 weights: s = 0.5 / 8 and 1 / 8; the largest saturates at 7.
TEST(WeightScale, OfGroupsMayBeAnyNumber) {
  const float weights[] = {0.5F, -0.25F, 0.0625F, 0, -1, 0.375F};
  const at::Tensor weight = at::tensor(at::ArrayRef<float>(weights)).reshape({1, 6});
  Quantizer quantizer = weight_quantizer(full(4), kGroup);
  quantizer.group_size = 4;
  const QuantizerTable table = solved(weight, quantizer);
  EXPECT_TRUE(at::equal(table.scales[0].value, at::tensor({0.0625F, 0.125F}).reshape({1, 2})));
  EXPECT_TRUE(at::equal(quantize_weight(weight, table, 0),
                        at::tensor({7.0F, -4.0F, 1.0F, 0.0F, -8.0F, 3.0F}).reshape({1, 6})));
}

TEST(WeightScale, RefusesWhatHasNoMeaning) {
  const at::Tensor weight = weight_a1();
  const auto refuses = [&](const Quantizer& quantizer) {
    EXPECT_THROW(solve_weight_scale(weight, quantizer), InternalError);
  };
  refuses(weight_quantizer(MinifloatFormat{4, 3}, kTensor, kHqo));
  refuses(weight_quantizer(full(8), kTensor, kHqo, kPowers));
  Quantizer quantizer = weight_quantizer(MinifloatFormat{4, 3}, kTensor);
  quantizer.symmetry = kAsymmetric;
  refuses(quantizer);
  quantizer = weight_quantizer(full(8), kChannel);
  quantizer.axis = 4;
  refuses(quantizer);
  quantizer = weight_quantizer(full(8), kTensor);
  quantizer.kind = QuantizerKind::kActivation;
  refuses(quantizer);
}

TEST(QuantizeWeight, RefusesScalesOfAnotherShape) {
  QuantizerTable table = solved(weight_a1(), weight_quantizer(full(8), kChannel));
  table.scales[0].value = at::zeros({3});
  EXPECT_THROW(quantize_weight(weight_a1(), table, 0), InternalError);
}

}  // namespace
}  // namespace ptq::quant
