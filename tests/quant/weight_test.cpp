#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "appendix_a.h"
#include "ptq/quant/fake_quantize.h"
#include "ptq/quant/statistics.h"

namespace ptq::quant {
namespace {

Quantizer weight_quantizer(int bits, bool narrow, Granularity granularity, int64_t axis = 0) {
  Quantizer quantizer;
  quantizer.kind = QuantizerKind::kWeight;
  quantizer.format = {bits, true, narrow};
  quantizer.granularity = granularity;
  quantizer.axis = axis;
  return quantizer;
}

QuantizerTable initialized(const at::Tensor& weight, const Quantizer& quantizer) {
  QuantizerTable table;
  const ir::QuantizerId id = table.add(quantizer);
  table.scale_of(id).value = absmax_weight_scale(weight, quantizer);
  return table;
}

// Appendix A.1 of reference-behaviour.md: scales and Σ|q|.
struct WeightCase {
  int bits;
  bool narrow;
  Granularity granularity;
  std::vector<float> scales;
  double code_sum;
};

class AppendixA1 : public ::testing::TestWithParam<WeightCase> {};

TEST_P(AppendixA1, GivesTheReferencesScalesAndCodes) {
  const WeightCase& expected = GetParam();
  const at::Tensor weight = testing::weight_a1();
  const QuantizerTable table =
      initialized(weight, weight_quantizer(expected.bits, expected.narrow, expected.granularity));
  const at::Tensor scales = table.scales[0].value.flatten();
  ASSERT_EQ(scales.numel(), static_cast<int64_t>(expected.scales.size()));
  for (size_t i = 0; i < expected.scales.size(); ++i) {
    EXPECT_NEAR(scales[static_cast<int64_t>(i)].item<float>() / expected.scales[i], 1, 1e-7);
  }
  EXPECT_EQ(quantize_weight(weight, table, 0).abs().sum(at::kDouble).item<double>(),
            expected.code_sum);
}

constexpr auto kTensor = Granularity::kPerTensor;
constexpr auto kChannel = Granularity::kPerChannel;
INSTANTIATE_TEST_SUITE_P(
    Rows, AppendixA1,
    ::testing::Values(
        WeightCase{8, false, kTensor, {0.00598144531F}, 8908},
        WeightCase{8,
                   false,
                   kChannel,
                   {0.00152587891F, 0.00305175781F, 0.00457763672F, 0.00598144531F},
                   14028},
        WeightCase{8, true, kTensor, {0.00602854323F}, 8831},
        WeightCase{8,
                   true,
                   kChannel,
                   {0.00153789367F, 0.00307578733F, 0.00461368123F, 0.00602854323F},
                   13922},
        WeightCase{4, false, kTensor, {0.095703125F}, 552},
        WeightCase{
            4, false, kChannel, {0.0244140625F, 0.048828125F, 0.0732421875F, 0.095703125F}, 866},
        WeightCase{4, true, kTensor, {0.109375F}, 488},
        WeightCase{
            4, true, kChannel, {0.0279017854F, 0.0558035709F, 0.0837053582F, 0.109375F}, 770}));

TEST(WeightScale, RunsOverAxisOneOfATransposedConvolution) {
  const at::Tensor weight = testing::weight_a1();
  const at::Tensor transposed = weight.transpose(0, 1).contiguous();
  const QuantizerTable a = initialized(weight, weight_quantizer(8, false, kChannel, 0));
  const QuantizerTable b = initialized(transposed, weight_quantizer(8, false, kChannel, 1));
  EXPECT_TRUE(a.scales[0].value.equal(b.scales[0].value));
  EXPECT_TRUE(fake_quantize_weight(weight, a, 0)
                  .equal(fake_quantize_weight(transposed, b, 0).transpose(0, 1)));
}

TEST(WeightScale, OfAnAllZeroChannelIsTheSmallestAndItsWeightsStayZero) {
  at::Tensor weight = at::rand({3, 4});
  weight[1].zero_();
  const QuantizerTable table = initialized(weight, weight_quantizer(8, false, kChannel));
  EXPECT_NEAR(table.scales[0].value[1].item<double>(), 1e-10 / 128, 1e-18);
  EXPECT_TRUE(fake_quantize_weight(weight, table, 0)[1].eq(0).all().item<bool>());
}

TEST(WeightScale, SaturatesTheLargestPositiveWeightInTheFullRange) {
  const at::Tensor weight = at::tensor({2.0F, -1.0F}).view({1, 2});
  const QuantizerTable table = initialized(weight, weight_quantizer(8, false, kTensor));
  EXPECT_EQ(quantize_weight(weight, table, 0)[0][0].item<float>(), 127);
}

}  // namespace
}  // namespace ptq::quant
