#include <gtest/gtest.h>

#include <vector>

#include "appendix_a.h"
#include "short_forms.h"

/// reference-contract A.1: scales, zero points and sums of codes.
namespace ptq::quant {
namespace {

using namespace testing;

void expect_near(const at::Tensor& actual, const std::vector<float>& expected, double relative) {
  const at::Tensor flat = actual.flatten();
  ASSERT_EQ(flat.numel(), static_cast<int64_t>(expected.size()));
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(flat[static_cast<int64_t>(i)].item<float>() / expected[i], 1, relative) << i;
  }
}

struct IntegerCase {
  Quantizer quantizer;
  std::vector<float> scales;
  std::vector<float> zero_points;
  double code_sum;
};

class IntegerRows : public ::testing::TestWithParam<IntegerCase> {};

TEST_P(IntegerRows, GiveTheReferencesScalesAndCodes) {
  const IntegerCase& expected = GetParam();
  const at::Tensor weight = weight_a1();
  const QuantizerTable table = solved(weight, expected.quantizer);
  // HQO creeps until the mean error, rounded to float32, no longer falls: where that is depends on
  // the order of summation.
  const bool is_hqo = expected.quantizer.calibration == kHqo;
  expect_near(table.scales[0].value, expected.scales, is_hqo ? 1e-5 : 1e-7);
  if (!expected.zero_points.empty()) {
    expect_near(table.at(0).zero_point, expected.zero_points, 1e-7);
  }
  EXPECT_EQ(sum_of_sizes(quantize_weight(weight, table, 0)), expected.code_sum);
}

IntegerCase row(const IntegerFormat& format, Granularity granularity, std::vector<float> scales,
                double code_sum, Calibration calibration = kStatistics,
                ScaleType scale_type = kFloat) {
  return {weight_quantizer(format, granularity, calibration, scale_type),
          std::move(scales),
          {},
          code_sum};
}

IntegerCase asymmetric_row(int bits, Granularity granularity, std::vector<float> scales,
                           std::vector<float> zero_points, double code_sum,
                           Calibration calibration = kStatistics) {
  return {weight_quantizer(unsigned_codes(bits), granularity, calibration), std::move(scales),
          std::move(zero_points), code_sum};
}

INSTANTIATE_TEST_SUITE_P(
    Symmetric, IntegerRows,
    ::testing::Values(
        row(full(8), kTensor, {0.00598144531F}, 8908),
        row(full(8), kChannel, {0.00152587891F, 0.00305175781F, 0.00457763672F, 0.00598144531F},
            14028),
        row(full(8), kTensor, {0.0078125F}, 6817, kStatistics, kPowers),
        row(full(8), kChannel, {0.001953125F, 0.00390625F, 0.0078125F, 0.0078125F}, 10217,
            kStatistics, kPowers),
        row(narrow(8), kTensor, {0.00602854323F}, 8831),
        row(narrow(8), kChannel, {0.00153789367F, 0.00307578733F, 0.00461368123F, 0.00602854323F},
            13922),
        row(narrow(8), kTensor, {0.0078125F}, 6817, kStatistics, kPowers),
        row(full(4), kTensor, {0.095703125F}, 552),
        row(full(4), kChannel, {0.0244140625F, 0.048828125F, 0.0732421875F, 0.095703125F}, 866),
        row(full(4), kChannel, {0.03125F, 0.0625F, 0.125F, 0.125F}, 638, kStatistics, kPowers),
        row(narrow(4), kTensor, {0.109375F}, 488),
        row(narrow(4), kChannel, {0.0279017854F, 0.0558035709F, 0.0837053582F, 0.109375F}, 770)));

INSTANTIATE_TEST_SUITE_P(
    Asymmetric, IntegerRows,
    ::testing::Values(
        asymmetric_row(8, kTensor, {0.00600490207F}, {128}, 27689),
        asymmetric_row(8, kChannel,
                       {0.00150122552F, 0.00303308829F, 0.00459558843F, 0.00600490207F},
                       {130, 126, 127, 128}, 27574),
        asymmetric_row(4, kTensor, {0.102083333F}, {8}, 1729),
        asymmetric_row(4, kChannel, {0.0255208332F, 0.0515624993F, 0.078125F, 0.102083333F},
                       {8, 7, 8, 8}, 1671)));

INSTANTIATE_TEST_SUITE_P(
    Mse, IntegerRows,
    ::testing::Values(
        row(full(3), kTensor, {0.181835935F}, 288, kMse),
        row(full(3), kChannel, {0.048828125F, 0.09765625F, 0.146484375F, 0.19140625F}, 423, kMse),
        row(full(3), kTensor, {0.25F}, 206, kMse, kPowers),
        row(full(3), kChannel, {0.0625F, 0.125F, 0.125F, 0.25F}, 371, kMse, kPowers),
        asymmetric_row(4, kTensor, {0.0918750018F}, {8}, 1727, kMse),
        asymmetric_row(4, kChannel, {0.0255208332F, 0.0515624993F, 0.07421875F, 0.102083333F},
                       {8, 7, 7, 7}, 1564, kMse),
        asymmetric_row(3, kTensor, {0.174999997F}, {4}, 860, kMse),
        asymmetric_row(3, kChannel, {0.0546875F, 0.104966514F, 0.167410716F, 0.207812503F},
                       {4, 3, 3, 4}, 753, kMse)));

// Per channel the reference's numbers are those of the linear view: its convolutions fit every
// channel to the whole tensor.
INSTANTIATE_TEST_SUITE_P(
    Hqo, IntegerRows,
    ::testing::Values(row(full(3), kTensor, {0.190344214F}, 274, kHqo),
                      row(full(3), kChannel, {0.048828125F, 0.09765625F, 0.146484375F, 0.19140625F},
                          423, kHqo)));

TEST(HqoRows, GiveTheReferencesFractionalZeroPoints) {
  const at::Tensor weight = weight_a1();
  const QuantizerTable table = solved(weight, weight_quantizer(unsigned_codes(3), kChannel, kHqo));
  expect_near(table.scales[0].value, {0.0546875F, 0.110491075F, 0.167410716F, 0.21875F}, 1e-7);
  expect_near(table.at(0).zero_point, {3.52777791F, 3.40029907F, 3.50092602F, 3.54365087F}, 1e-5);
}

TEST(HqoRows, OfAConvolutionAreThoseOfItsLinearView) {
  const at::Tensor weight = weight_a1();
  for (const IntegerFormat& format : {full(3), unsigned_codes(3)}) {
    const Quantizer quantizer = weight_quantizer(format, kChannel, kHqo);
    EXPECT_TRUE(solve_weight_scale(weight, quantizer)
                    .scale.equal(solve_weight_scale(weight.view({4, 54}), quantizer).scale));
  }
}

// The six input channels make one short group for each output channel and position. For 8-bit
// integers the reference has scales 2^floor(log2 absmax) / 128 and a sum of 18430. With OCP's
// 2^(8-2) instead of 128 the scales are twice as large, 2^-9, 2^-8 and 2^-7; the sum 10643 is that
// of clamp(round(W / s)) in exact fractions, as are the sums of minifloats. (The same calculation
// with 128 gives 18430.)
TEST(GroupRows, OfIntegersFollowOcp) {
  const at::Tensor weight = weight_a1();
  const QuantizerTable table =
      solved(weight, weight_quantizer(full(8), kGroup, kStatistics, kPowers));
  const at::Tensor& scale = table.scales[0].value;
  EXPECT_EQ(scale.sizes(), at::IntArrayRef({4, 1, 3, 3}));
  EXPECT_EQ(scale.min().item<float>(), 1.0F / 512);
  EXPECT_EQ(scale.max().item<float>(), 1.0F / 128);
  EXPECT_EQ(sum_of_sizes(quantize_weight(weight, table, 0)), 10643);
}

TEST(GroupRows, OfAsymmetricIntegersUseAllCodes) {
  const at::Tensor weight = weight_a1();
  const QuantizerTable table =
      solved(weight, weight_quantizer(unsigned_codes(8), kGroup, kStatistics, kPowers));
  EXPECT_EQ(table.scales[0].value.min().item<float>(), 1.0F / 512);
  EXPECT_EQ(sum_of_sizes(table.at(0).zero_point), 3049);
  EXPECT_EQ(sum_of_sizes(quantize_weight(weight, table, 0)), 18223);
}

struct FloatCase {
  Quantizer quantizer;
  float scale;
  double sum;
};

class FloatRows : public ::testing::TestWithParam<FloatCase> {};

TEST_P(FloatRows, GiveTheReferencesScaleAndValues) {
  const at::Tensor weight = weight_a1();
  const QuantizerTable table = solved(weight, GetParam().quantizer);
  EXPECT_NEAR(table.scales[0].value.max().item<float>() / GetParam().scale, 1, 1e-7);
  EXPECT_NEAR(sum_of_sizes(fake_quantize_weight(weight, table, 0)), GetParam().sum, 1e-5);
}

Quantizer group_of(const MinifloatFormat& format) {
  return weight_quantizer(format, kGroup, kStatistics, kPowers);
}

INSTANTIATE_TEST_SUITE_P(
    PerTensor, FloatRows,
    ::testing::Values(
        FloatCase{weight_quantizer(MinifloatFormat{3, 4}, kTensor), 0.0246975813F, 53.2464414},
        FloatCase{weight_quantizer(MinifloatFormat{4, 3}, kTensor), 0.00159505208F, 53.3257819},
        FloatCase{weight_quantizer(MinifloatFormat{4, 3, kOcp}, kTensor), 0.00170898438F,
                  53.2233276},
        FloatCase{weight_quantizer(MinifloatFormat{5, 2, kOcp}, kTensor), 1.33514404e-05F,
                  52.9674072}));

INSTANTIATE_TEST_SUITE_P(
    PerGroup, FloatRows,
    ::testing::Values(FloatCase{group_of({4, 3, kOcp}), 1.0F / 512, 53.15234375},
                      FloatCase{group_of({5, 2, kOcp}), 1.0F / 65536, 52.734375},
                      FloatCase{group_of({2, 1, kOcp}), 0.125F, 52.296875}));

}  // namespace
}  // namespace ptq::quant
