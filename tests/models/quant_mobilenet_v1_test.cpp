#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "models/hand_defined.h"
#include "models/mobilenet_v1_weights.h"
#include "passes/correct_biases.h"
#include "ptq/passes/calibrate.h"
#include "ptq/runtime/executor.h"
#include "support/batches.h"
#include "support/noise.h"

// The whole network computed a second time, layer by layer, from reference-contract 9.
namespace ptq::models {
namespace {

constexpr int64_t kWidth = 4;
constexpr int64_t kClasses = 10;
constexpr double kPercentile = 99.9;

at::Tensor images(int64_t count) {
  at::manual_seed(11);
  return at::randn({count, 3, 224, 224});
}

/// Codes of the largest |w| of each row of `rows` (or all of it), over 2^(b-1) - 1.
at::Tensor quantized_weight(const at::Tensor& weight, int64_t rows, double largest_code) {
  const at::Tensor flat = weight.reshape({rows, -1});
  const at::Tensor scale = std::get<0>(flat.abs().max(1, true)).div(largest_code);
  return flat.div(scale)
      .round()
      .clamp(-largest_code, largest_code)
      .mul(scale)
      .reshape(weight.sizes());
}

/// k-th smallest of each row, k = floor(0.01 p N + 0.5); 1e-10 where a channel is dead.
at::Tensor percentile(const at::Tensor& rows) {
  const auto k = static_cast<int64_t>(
      std::floor(0.01 * kPercentile * static_cast<double>(rows.size(1)) + 0.5));
  return std::get<0>(rows.abs().kthvalue(k, 1)).clamp_min(1e-10);
}

class LayerByLayer {
 public:
  LayerByLayer(const Weights& weights, int weight_bits, int act_bits)
      : weights_(weights), weight_bits_(weight_bits), act_bits_(act_bits) {}

  /// Runs `calibration` in float and `image` quantized, side by side.
  at::Tensor run(const at::Tensor& calibration, const at::Tensor& image) {
    seen_ = calibration;
    x_ = image;
    block("features.init_block", 2, 0, 1, true, 8);
    const int units[] = {1, 2, 2, 6, 2};
    for (int stage = 1; stage <= 5; ++stage) {
      for (int unit = 1; unit <= units[stage - 1]; ++unit) {
        const std::string name =
            "features.stage" + std::to_string(stage) + ".unit" + std::to_string(unit);
        const int64_t stride = stage > 1 && unit == 1 ? 2 : 1;
        block(name + ".dw_conv", stride, 1, x_.size(1), false, weight_bits_);
        block(name + ".pw_conv", 1, 0, 1, stage < 5, weight_bits_);
      }
    }
    return head();
  }

  double pool_scale() const { return pool_scale_; }

 private:
  const at::Tensor& weight(const std::string& name) const { return weights_.at(name); }

  at::Tensor conv(const at::Tensor& x, const at::Tensor& w, const std::string& name, int64_t stride,
                  int64_t padding, int64_t groups) const {
    const at::Tensor y = at::conv2d(x, w, {}, stride, padding, 1, groups);
    const at::Tensor sigma = weight(name + ".bn.running_var").add(1e-5).sqrt();
    const auto by_channel = [](const at::Tensor& v) { return v.reshape({1, -1, 1, 1}); };
    return y.sub(by_channel(weight(name + ".bn.running_mean")))
        .div(by_channel(sigma))
        .mul(by_channel(weight(name + ".bn.weight")))
        .add(by_channel(weight(name + ".bn.bias")))
        .relu();
  }

  void block(const std::string& name, int64_t stride, int64_t padding, int64_t groups,
             bool scale_a_channel, int bits) {
    const at::Tensor& w = weight(name + ".conv.weight");
    const at::Tensor wq = quantized_weight(w, w.size(0), std::ldexp(1.0, bits - 1) - 1);
    seen_ = conv(seen_, w, name, stride, padding, groups);
    x_ = conv(x_, wq, name, stride, padding, groups);
    const at::Tensor rows = scale_a_channel ? seen_.transpose(0, 1).reshape({seen_.size(1), -1})
                                            : seen_.reshape({1, -1});
    scale_ = percentile(rows).div(std::ldexp(1.0, act_bits_) - 1).reshape({1, -1, 1, 1});
    codes_ = x_.div(scale_).round().clamp(0, std::ldexp(1.0, act_bits_) - 1);
    x_ = codes_.mul(scale_);
  }

  /// On integers: the sum of 49 codes, its lowest bits rounded away.
  at::Tensor head() {
    const at::Tensor sums = codes_.to(at::kDouble).sum({2, 3});
    // A sum of 49 codes has 6 bits more than a code, of 8 bits as of 4.
    const double step = 64;
    const at::Tensor codes = sums.div(step).round().clamp(0, std::ldexp(1.0, act_bits_) - 1);
    pool_scale_ = scale_.item<double>() / 49 * step;
    const at::Tensor& w = weight("output.weight");
    const double largest = std::ldexp(1.0, weight_bits_ - 1) - 1;
    const double weight_scale = w.abs().max().item<double>() / largest;
    const at::Tensor wq = quantized_weight(w, 1, largest).to(at::kDouble);
    const double bias_scale = pool_scale_ * weight_scale;
    const at::Tensor bias =
        weight("output.bias").to(at::kDouble).div(bias_scale).round().mul(bias_scale);
    return codes.mul(pool_scale_).mm(wq.t()).add(bias).to(at::kFloat);
  }

  const Weights& weights_;
  int weight_bits_, act_bits_;
  at::Tensor seen_, x_, scale_, codes_;
  double pool_scale_ = 0;
};

class QuantMobileNetV1 : public ::testing::TestWithParam<int> {
 protected:
  QuantMobileNetV1() : weights_(mobilenet_v1_weights(kWidth, kClasses)) {
    HandDefinedOptions options;
    options.weight_bit_width = GetParam();
    options.act_bit_width = GetParam();
    network_ = find_hand_defined("quant_mobilenet_v1")->build(weights_, options);
    passes::initialize_weight_scales(network_);
    passes::calibrate_activations(network_, {kPercentile, {2, true}},
                                  ptq::testing::batches_of({images(3)}));
  }

  Weights weights_;
  QuantizedNetwork network_;
};

TEST_P(QuantMobileNetV1, EqualsAComputationLayerByLayer) {
  LayerByLayer direct(weights_, GetParam(), GetParam());
  const at::Tensor image = images(2);
  const at::Tensor expected = direct.run(images(3), image);
  const auto run = [&](const auto& make, runtime::Numerics numerics) {
    return make(network_, {numerics, {}, 2})->run(image);
  };
  const at::Tensor in_float = run(runtime::make_interpreter, runtime::Numerics::kFloat);
  for (const auto& make : {runtime::make_interpreter, runtime::make_plan}) {
    const at::Tensor found = run(make, runtime::Numerics::kQuantized);
    testing::expect_same_but_for_flips(found, expected, in_float);
  }
  const quant::Quantizer& pool = network_.table.quantizers.at(network_.table.quantizers.size() - 3);
  ASSERT_TRUE(pool.truncation.has_value());
  EXPECT_NEAR(network_.table.scales.at(static_cast<size_t>(pool.scale)).value.item<double>(),
              direct.pool_scale(), 1e-6 * direct.pool_scale());
}

TEST_P(QuantMobileNetV1, HasScalesAChannelWhereTheLastStageDoesNotBegin) {
  const auto of = [&](const std::string& layer) -> const quant::Quantizer& {
    for (const quant::Quantizer& quantizer : network_.table.quantizers) {
      if (quantizer.layer == layer) return quantizer;
    }
    throw std::runtime_error(layer);
  };
  const auto& table = network_.table;
  const auto& first = of("features.init_block.activation");
  EXPECT_EQ(table.scales.at(static_cast<size_t>(first.scale)).value.sizes(),
            c10::IntArrayRef{kWidth});
  EXPECT_EQ(of("features.stage4.unit6.pw_conv.activation").granularity,
            quant::Granularity::kPerChannel);
  EXPECT_EQ(of("features.stage4.unit6.dw_conv.activation").granularity,
            quant::Granularity::kPerTensor);
  EXPECT_EQ(of("features.stage5.unit1.pw_conv.activation").granularity,
            quant::Granularity::kPerTensor);
  EXPECT_EQ(quant::bit_width(of("features.init_block.conv").format), 8);
}

TEST_P(QuantMobileNetV1, GetsFloatBiasesFromBiasCorrection) {
  const auto corrected =
      passes::correct_biases(network_, {}, ptq::testing::batches_of({images(2)}));
  EXPECT_EQ(corrected.layers, 28);
  EXPECT_EQ(corrected.created, 27);
  for (const ir::Node& node : network_.graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || node.name == "output") continue;
    EXPECT_EQ(layer->bias_quantizer, ir::kNoQuantizer) << node.name;
  }
}

INSTANTIATE_TEST_SUITE_P(BitWidths, QuantMobileNetV1, ::testing::Values(8, 4));

}  // namespace
}  // namespace ptq::models
