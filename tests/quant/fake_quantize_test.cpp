#include "quant/fake_quantize.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ptq/base/error.h"
#include "short_forms.h"

namespace ptq::quant {
namespace {

using namespace testing;

constexpr QParams kSigned{0.5F, 0, -128, 127};

TEST(FakeQuantize, RoundsTiesToEven) {
  EXPECT_EQ(quantize(0.25F, kSigned), 0);
  EXPECT_EQ(quantize(0.75F, kSigned), 2);
  EXPECT_EQ(quantize(1.25F, kSigned), 2);
  EXPECT_EQ(quantize(-0.25F, kSigned), 0);
  EXPECT_EQ(quantize(-0.75F, kSigned), -2);
}

TEST(FakeQuantize, AddsTheZeroPointBeforeRounding) {
  // x / s = 0.5: rounding first would give 0 + 1, rounding 1.5 gives 2.
  EXPECT_EQ(quantize(0.25F, QParams{0.5F, 1, 0, 255}), 2);
}

TEST(FakeQuantize, SaturatesAtBothEnds) {
  EXPECT_EQ(fake_quantize(1e6F, kSigned), 63.5F);
  EXPECT_EQ(fake_quantize(-1e6F, kSigned), -64.0F);
  EXPECT_EQ(fake_quantize(kInfinity, kSigned), 63.5F);
  EXPECT_EQ(fake_quantize(-kInfinity, kSigned), -64.0F);
}

TEST(FakeQuantize, LetsNanThrough) {
  EXPECT_TRUE(std::isnan(fake_quantize(std::nanf(""), kSigned)));
}

TEST(FakeQuantize, DividesRatherThanMultipliesByTheInverse) {
  // 1 / 49 rounds so that 49 * (1 / 49) < 1: a product would miss this tie.
  const QParams params{49, 0, -128, 127};
  EXPECT_EQ(quantize(49 * 1.5F, params), 2);
  EXPECT_EQ(quantize(49 * 0.5F, params), 0);
}

class EveryBitWidth : public ::testing::TestWithParam<int> {};

QParams params_of(const IntegerFormat& format, float scale) {
  return {scale, 0, static_cast<float>(format.quant_min()), static_cast<float>(format.quant_max())};
}

TEST_P(EveryBitWidth, EveryRepresentableValueIsAFixedPoint) {
  for (const bool is_signed : {true, false}) {
    const QParams params = params_of({GetParam(), is_signed, false}, 0.037F);
    for (float code = params.quant_min; code <= params.quant_max; ++code) {
      ASSERT_EQ(quantize(dequantize(code, params), params), code);
    }
  }
}

TEST_P(EveryBitWidth, IsIdempotentMonotoneAndWithinHalfAStep) {
  const QParams params = params_of({GetParam(), true, false}, 0.0625F);
  const float low = params.quant_min * params.scale;
  const float high = params.quant_max * params.scale;
  float previous = -kInfinity;
  for (int i = -3000; i <= 3000; ++i) {
    const float x = static_cast<float>(i) * (high - low) / 4000.0F;
    const float y = fake_quantize(x, params);
    ASSERT_EQ(fake_quantize(y, params), y);
    ASSERT_GE(y, previous);
    if (x >= low && x <= high) {
      ASSERT_LE(std::abs(y - x), params.scale / 2);
    }
    previous = y;
  }
}

TEST_P(EveryBitWidth, EveryShiftedValueIsAFixedPoint) {
  QParams params = params_of({GetParam(), false, false}, 0.037F);
  for (const float part : {0.0F, 0.3F, 1.0F}) {
    params.zero_point = std::nearbyint(params.quant_max * part);
    for (float code = params.quant_min; code <= params.quant_max; ++code) {
      ASSERT_EQ(quantize(dequantize(code, params), params), code);
    }
    EXPECT_EQ(fake_quantize(0.0F, params), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Bits, EveryBitWidth, ::testing::Values(2, 3, 4, 6, 8, 12, 16));

QuantizerTable table_with(const IntegerFormat& format, float scale) {
  QuantizerTable table;
  Quantizer quantizer;
  quantizer.format = format;
  table.scale_of(table.add(quantizer)).value = at::scalar_tensor(scale);
  return table;
}

TEST(FakeQuantizeActivation, EqualsTheEquationElementByElement) {
  const QuantizerTable table = table_with({8, true, false}, 0.013F);
  const at::Tensor x = at::rand({3, 5, 7, 11}).sub(0.5).mul(5);
  const at::Tensor y = fake_quantize_activation(x, table, 0);
  const auto params = std::get<QParams>(element_params(table, 0));
  for (int64_t i = 0; i < x.numel(); ++i) {
    ASSERT_EQ(y.data_ptr<float>()[i], fake_quantize(x.data_ptr<float>()[i], params));
  }
}

TEST(FakeQuantizeActivation, SubtractsTheZeroPoint) {
  QuantizerTable table = table_with({8, false, false}, 0.5F);
  table.at(0).symmetry = Symmetry::kAsymmetric;
  table.at(0).zero_point = at::scalar_tensor(3.0F);
  const at::Tensor y =
      fake_quantize_activation(at::tensor({-9.0F, -1.5F, 0.0F, 0.25F, 200.0F}), table, 0);
  EXPECT_TRUE(y.equal(at::tensor({-1.5F, -1.5F, 0.0F, 0.5F, 126.0F})));  // 3.5 rounds to 4
}

TEST(ElementParams, RefusesAScaleOrZeroPointThatIsNotKnown) {
  QuantizerTable table = table_with({8, false, false}, 0.5F);
  table.at(0).symmetry = Symmetry::kAsymmetric;
  EXPECT_THROW(element_params(table, 0), InternalError);
  table.at(0).symmetry = Symmetry::kSymmetric;
  table.scale_of(0).value = at::Tensor();
  EXPECT_THROW(element_params(table, 0), InternalError);
}

TEST(ElementParams, RefusesAQuantizerOfManyScales) {
  QuantizerTable table = table_with({8, true, false}, 0.5F);
  table.at(0).granularity = Granularity::kPerChannel;
  EXPECT_THROW(element_params(table, 0), InternalError);
}

TEST(ElementParams, RefusesWhatHasNoMeaning) {
  QuantizerTable table = table_with({8, true, false}, 0.5F);
  table.at(0).symmetry = Symmetry::kAsymmetric;  // and signed
  EXPECT_THROW(element_params(table, 0), InternalError);
  table.at(0).symmetry = Symmetry::kSymmetric;
  table.at(0).format = MinifloatFormat{8, 3};
  EXPECT_THROW(element_params(table, 0), InternalError);
  table.at(0).format = MinifloatFormat{4, 21};
  EXPECT_THROW(element_params(table, 0), InternalError);
}

TEST(FakeQuantizeActivation, KeepsTheMemoryFormat) {
  const QuantizerTable table = table_with({8, false, false}, 0.1F);
  const at::Tensor x = at::rand({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor y = fake_quantize_activation(x, table, 0);
  EXPECT_EQ(y.strides(), x.strides());
  EXPECT_TRUE(y.equal(fake_quantize_activation(x.contiguous(), table, 0)));
}

TEST(FakeQuantizeActivation, TakesAViewWithGaps) {
  const QuantizerTable table = table_with({8, true, false}, 0.1F);
  const at::Tensor x = at::rand({4, 6}).narrow(1, 1, 3);
  EXPECT_TRUE(
      fake_quantize_activation(x, table, 0).equal(fake_quantize_activation(x.clone(), table, 0)));
}

TEST(FakeQuantizeActivation, HasAScaleForEachChannelWhereItsQuantizerSaysSo) {
  QuantizerTable table;
  Quantizer quantizer;
  quantizer.format = IntegerFormat{4, false, false};
  quantizer.granularity = Granularity::kPerChannel;
  quantizer.axis = 1;
  const ir::QuantizerId id = table.add(quantizer);
  table.scale_of(id).value = at::tensor({0.5F, 2.0F});
  const at::Tensor x =
      at::tensor({0.3F, 9.0F, 0.3F, 9.0F, 1.2F, 3.1F, 1.2F, 3.1F}).reshape({2, 2, 2});
  const at::Tensor expected =
      at::tensor({0.5F, 7.5F, 0.0F, 8.0F, 1.0F, 3.0F, 2.0F, 4.0F}).reshape({2, 2, 2});
  EXPECT_TRUE(at::equal(fake_quantize_activation(x, table, id), expected));
  const at::Tensor strided = x.transpose(1, 2).contiguous().transpose(1, 2);
  const at::Tensor found = fake_quantize_activation(strided, table, id);
  EXPECT_TRUE(at::equal(found, expected));
  EXPECT_EQ(found.strides(), strided.strides());
}

/// Means of four codes: quarters. Ties of the second rounding go to even codes, exactly.
TEST(FakeQuantizeActivation, RoundsTheLowestBitsOfAMeanOfCodesAway) {
  QuantizerTable table;
  Quantizer quantizer;
  quantizer.format = IntegerFormat{3, false, false};
  const ir::QuantizerId codes = table.add(quantizer);
  quantizer.truncation = Truncation{codes, 4, 2};
  const ir::QuantizerId mean = table.add(quantizer);
  table.scale_of(codes).value = at::scalar_tensor(0.1F);
  table.derive_scales();
  EXPECT_FLOAT_EQ(table.scale_of(mean).value.item<float>(), 0.1F);
  const float fine = 0.1F / 4;
  for (int sum = 0; sum <= 28; ++sum) {
    const at::Tensor x = at::full({5}, static_cast<float>(sum) * fine);
    const float code = std::nearbyint(static_cast<float>(sum) / 4);
    const at::Tensor found = fake_quantize_activation(x, table, mean);
    EXPECT_FLOAT_EQ(found[0].item<float>(), code * 0.1F) << sum;
  }
}

}  // namespace
}  // namespace ptq::quant
