#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "quant/fake_quantize.h"

namespace ptq::quant {
namespace {

TEST(FakeQuantizeBias, UsesTheProductOfInputAndWeightScale) {
  const at::Tensor bias = at::tensor({0.3F, -0.3F});
  const at::Tensor y =
      fake_quantize_bias(bias, at::scalar_tensor(0.5), at::scalar_tensor(0.25), 32);
  EXPECT_TRUE(y.equal(at::tensor({0.25F, -0.25F})));  // 0.3 / 0.125 = 2.4
}

TEST(FakeQuantizeBias, TakesAScaleAChannel) {
  const at::Tensor bias = at::tensor({0.3F, 0.3F});
  const at::Tensor y =
      fake_quantize_bias(bias, at::scalar_tensor(0.5), at::tensor({0.25F, 1.0F}), 32);
  EXPECT_TRUE(y.equal(at::tensor({0.25F, 0.5F})));
}

TEST(FakeQuantizeBias, SaturatesSixteenBits) {
  const at::Tensor bias = at::tensor({1e6F, -1e6F});
  const at::Tensor y = fake_quantize_bias(bias, at::scalar_tensor(1.0), at::scalar_tensor(0.5), 16);
  EXPECT_TRUE(y.equal(at::tensor({16383.5F, -16384.0F})));
}

}  // namespace
}  // namespace ptq::quant
