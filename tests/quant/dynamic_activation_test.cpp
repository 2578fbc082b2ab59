#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "short_forms.h"

namespace ptq::quant {
namespace {

using namespace testing;

QuantizerTable dynamic(const NumberFormat& format, Symmetry symmetry = Symmetry::kSymmetric) {
  Quantizer quantizer;
  quantizer.format = format;
  quantizer.symmetry = symmetry;
  quantizer.timing = Timing::kDynamic;
  QuantizerTable table;
  table.add(quantizer);
  return table;
}

QuantizerTable groups(const NumberFormat& format, int64_t axis, int64_t size = 32) {
  QuantizerTable table = dynamic(format);
  table.at(0).granularity = Granularity::kPerGroup;
  table.at(0).scale_type = ScaleType::kPowerOfTwo;
  table.at(0).axis = axis;
  table.at(0).group_size = size;
  return table;
}

/// 2^floor(log2 absmax) / T and the equation, value by value.
at::Tensor by_hand(const at::Tensor& x, const QuantizerTable& table, double divisor) {
  const Quantizer& quantizer = table.at(0);
  at::Tensor out = x.clone();
  const int64_t axis = quantizer.axis < 0 ? quantizer.axis + x.dim() : quantizer.axis;
  for (int64_t begin = 0; begin < x.size(axis); begin += quantizer.group_size) {
    const int64_t size = std::min(quantizer.group_size, x.size(axis) - begin);
    const at::Tensor group = x.narrow(axis, begin, size);
    const at::Tensor absmax = std::get<0>(group.abs().max(axis, true)).clamp_min(1e-10);
    const at::Tensor scale = absmax.log2().floor().exp2().div(divisor);
    const at::Tensor codes = group.div(scale).round().clamp(-128, 127);
    out.narrow(axis, begin, size).copy_(codes.mul(scale));
  }
  return out;
}

TEST(DynamicPerTensor, TakesTheRangeOfTheImage) {
  // Symmetric: (max - min) / 128, not absmax / 128 (reference-contract 3.11).
  const at::Tensor x = at::tensor({-4.0F, 0.3F, 12.0F});
  const at::Tensor y = fake_quantize_activation(x, dynamic(IntegerFormat{8, true, false}), 0);
  EXPECT_TRUE(y.equal(at::tensor({-4.0F, 0.25F, 12.0F})));  // s = 16 / 128
}

TEST(DynamicPerTensor, StartsTheRangeAtZero) {
  const at::Tensor x = at::tensor({51.0F, 40.93F});
  const at::Tensor y = fake_quantize_activation(x, dynamic(IntegerFormat{8, false, false}), 0);
  EXPECT_TRUE(y.allclose(at::tensor({51.0F, 41.0F})));  // s = 51 / 255
}

TEST(DynamicPerTensor, ShiftsAsymmetricCodes) {
  const QuantizerTable table = dynamic(IntegerFormat{8, false, false}, Symmetry::kAsymmetric);
  const at::Tensor y = fake_quantize_activation(at::tensor({-0.5F, 2.05F, 0.0F, 0.012F}), table, 0);
  EXPECT_TRUE(y.allclose(at::tensor({-0.5F, 2.05F, 0.0F, 0.01F})));  // s = 0.01, z = 50
}

TEST(DynamicPerTensor, KeepsZerosStridesAndSaturatesInfinity) {
  const QuantizerTable table = dynamic(IntegerFormat{8, true, false});
  EXPECT_TRUE(fake_quantize_activation(at::zeros({3}), table, 0).equal(at::zeros({3})));
  const at::Tensor x = at::rand({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_EQ(fake_quantize_activation(x, table, 0).strides(), x.strides());
  const at::Tensor y = fake_quantize_activation(at::tensor({kInfinity, 0.0F}), table, 0);
  EXPECT_TRUE(y.isfinite().all().item<bool>());
  EXPECT_GT(y[0].item<float>(), 1e38F);
}

TEST(DynamicPerTensor, TurnsAllIntoNanIfOneIs) {
  const QuantizerTable table = dynamic(IntegerFormat{8, true, false});
  const at::Tensor x = at::tensor({std::nanf(""), 1.0F});
  EXPECT_TRUE(fake_quantize_activation(x, table, 0).isnan().all().item<bool>());
}

TEST(DynamicPerGroup, EqualsTheRuleForAnyAxisLayoutAndLength) {
  const at::Tensor x = at::rand({2, 70, 5, 3}).sub(0.5).pow(3);
  for (const int64_t axis : {1, -1, 0, 2}) {
    const QuantizerTable table = groups(IntegerFormat{8, true, false}, axis);
    const at::Tensor expected = by_hand(x, table, 64);
    EXPECT_TRUE(fake_quantize_activation(x, table, 0).equal(expected)) << axis;
    const at::Tensor last = x.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor y = fake_quantize_activation(last, table, 0);
    EXPECT_TRUE(y.equal(expected)) << axis;
    EXPECT_EQ(y.strides(), last.strides());
  }
}

TEST(DynamicPerGroup, TakesAViewWithGapsAndASingleChannel) {
  const at::Tensor x = at::rand({2, 80, 4, 6}).sub(0.5);
  const QuantizerTable table = groups(MinifloatFormat{4, 3, kOcp}, 1);
  for (const at::Tensor& view : {x.narrow(3, 1, 3), x.narrow(1, 7, 1), x.transpose(2, 3)}) {
    const at::Tensor whole = view.clone(at::MemoryFormat::Contiguous);
    EXPECT_TRUE(
        fake_quantize_activation(view, table, 0).equal(fake_quantize_activation(whole, table, 0)));
  }
}

TEST(DynamicPerGroup, IsNearLosslessWithEightBits) {
  const at::Tensor x = at::rand({64, 32}).sub(0.5);
  const at::Tensor y = fake_quantize_activation(x, groups(IntegerFormat{8, true, false}, 1), 0);
  // Half a step of 2^-1 / 64, except for what rounds above the largest code.
  EXPECT_LE(x.sub(y).abs().max().item<double>(), 1.0 / 128);
}

TEST(DynamicPerGroup, GivesMinifloatsTheScaleOfOcp) {
  // absmax 5 gives 2^2 / 4 = 1, so that values are E2M1 numbers themselves: 5 is a tie to 4.
  const QuantizerTable table = groups(MinifloatFormat{2, 1, kOcp}, 0, 4);
  const at::Tensor x = at::tensor({5.0F, 3.2F, -0.3F, 0.75F, 70.0F, -16.0F});
  const at::Tensor y = fake_quantize_activation(x, table, 0);
  EXPECT_TRUE(y.equal(at::tensor({4.0F, 3.0F, -0.5F, 1.0F, 64.0F, -16.0F})));
}

TEST(DynamicPerGroup, KeepsPowersOfTwoAndZeros) {
  for (int exponent = -30; exponent <= 100; ++exponent) {
    const at::Tensor x = at::full({32}, std::ldexp(1.0, exponent));
    EXPECT_TRUE(fake_quantize_activation(x, groups(IntegerFormat{8, true, false}, 0), 0).equal(x));
  }
  const at::Tensor zeros = at::zeros({40});
  EXPECT_TRUE(fake_quantize_activation(zeros, groups(MinifloatFormat{4, 3}, 0), 0).equal(zeros));
}

TEST(DynamicPerGroup, KeepsNanAndInfinityToTheirGroup) {
  at::Tensor x = at::full({6}, 0.5);
  x[0] = std::nanf("");
  x[2] = -kInfinity;
  const at::Tensor y = fake_quantize_activation(x, groups(IntegerFormat{8, true, false}, 0, 2), 0);
  EXPECT_TRUE(std::isnan(y[0].item<float>()) && std::isnan(y[1].item<float>()));
  EXPECT_LT(y[2].item<float>(), -1e38F);
  EXPECT_EQ(y[3].item<float>(), 0);
  EXPECT_TRUE(y.narrow(0, 4, 2).equal(at::full({2}, 0.5)));
}

TEST(DynamicActivation, RefusesWhatHasNoMeaning) {
  const at::Tensor x = at::rand({2, 3});
  QuantizerTable channels = dynamic(IntegerFormat{8, true, false});
  channels.at(0).granularity = Granularity::kPerChannel;
  EXPECT_THROW(fake_quantize_activation(x, channels, 0), InternalError);
  QuantizerTable asymmetric = groups(IntegerFormat{8, false, false}, 1);
  asymmetric.at(0).symmetry = Symmetry::kAsymmetric;
  EXPECT_THROW(fake_quantize_activation(x, asymmetric, 0), InternalError);
  EXPECT_THROW(fake_quantize_activation(x, groups(IntegerFormat{8, true, false}, 2), 0),
               InternalError);
}

}  // namespace
}  // namespace ptq::quant
