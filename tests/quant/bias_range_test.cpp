#include "quant/bias_range.h"

#include <ATen/ops/full.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "quant/layer_quantizers.h"

namespace ptq::quant {
namespace {

/// images -> FakeQuantize of scale 1/64 -> linear of two outputs, scale as given.
struct Network {
  ir::Graph graph;
  QuantizerTable table;

  Network(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& scale, int bits) {
    graph.input = graph.add_value("images", {{1, true}, {4, false}});
    Quantizer activation, weights, biases;
    weights.kind = QuantizerKind::kWeight;
    weights.granularity = scale.dim() == 0 ? Granularity::kPerTensor : Granularity::kPerChannel;
    biases.kind = QuantizerKind::kBias;
    biases.format = IntegerFormat{bits, true, false};
    ir::Linear linear;
    linear.weight = {"fc.weight", weight};
    linear.bias = ir::Parameter{"fc.bias", bias};
    const ir::QuantizerId in = table.add(activation);
    linear.weight_quantizer = table.add(weights);
    linear.bias_quantizer = table.add(biases);
    table.scale_of(in).value = at::scalar_tensor(1.0 / 64);
    table.scale_of(linear.weight_quantizer).value = scale;
    const auto insert = [&](const std::string& name, ir::Op op, ir::ValueId from, int64_t width) {
      ir::Node node{name, "", std::move(op), {from}, {}};
      return graph.insert(graph.nodes.end(), std::move(node), {{1, true}, {width, false}}).output();
    };
    const ir::ValueId codes = insert("in", ir::FakeQuantize{in}, graph.input, 4);
    graph.output = insert("fc", std::move(linear), codes, 2);
  }

  const ir::Node& layer() const { return graph.nodes.back(); }
  BiasRange range() { return bias_range(ir::Index(graph), layer(), table); }
  int64_t fit() { return fit_weight_scale_to_bias(ir::Index(graph), layer(), table); }
  at::Tensor scale() const {
    return table.scale_of(layer().as<ir::Linear>()->weight_quantizer).value;
  }
  at::Tensor bias() { return quantized_layer_tensors(ir::Index(graph), layer(), table).bias; }
};

at::Tensor rows(double first, double second) {
  return at::tensor({first, second}, at::kFloat).reshape({2, 1}).expand({2, 4}).contiguous();
}

TEST(BiasRange, LeavesBiasesThatFitAsTheyAre) {
  Network net(rows(1, 1), at::tensor({3.0F, -2.0F}), at::scalar_tensor(0.01), 32);
  EXPECT_EQ(net.range().outside, 0);
  EXPECT_EQ(net.range().of, 2);
  EXPECT_EQ(net.fit(), 0);
  EXPECT_FLOAT_EQ(net.scale().item<float>(), 0.01F);
}

/// 2 / (1e-10 / 64) needs more than 2^31 codes, the other channel does not.
TEST(BiasRange, RaisesTheScaleOfTheOneChannelThatSaturates) {
  Network net(rows(1e-8, 1), at::tensor({2.0F, 2.0F}), at::tensor({1e-10F, 0.01F}), 32);
  EXPECT_EQ(net.range().outside, 1);
  EXPECT_EQ(net.range().bit_width, 32);
  EXPECT_EQ(net.fit(), 1);
  EXPECT_EQ(net.range().outside, 0);
  const double least = 2.0 * 64 / (0.9 * 2147483647.0);
  EXPECT_NEAR(net.scale()[0].item<double>(), least, 1e-5 * least);
  EXPECT_FLOAT_EQ(net.scale()[1].item<float>(), 0.01F);
  EXPECT_NEAR(net.bias()[0].item<double>(), 2.0, 1e-6);
}

/// 3 / (0.01 / 64) of 32,767 codes.
TEST(BiasRange, TellsHowFarTheScaleOfTheInputMayFall) {
  const auto least = [](Network net) {
    return least_input_scale(ir::Index(net.graph), net.layer(), net.table);
  };
  const at::Tensor weight = rows(1, 1);
  const at::Tensor bias = at::tensor({3.0F, -2.0F});
  EXPECT_NEAR(least({weight, bias, at::scalar_tensor(0.01), 16}), 3 / (0.01 * 32767), 1e-8);
  const at::Tensor by_channel = at::tensor({0.1F, 0.01F});
  EXPECT_NEAR(least({weight, bias, by_channel, 16}), 2 / (0.01 * 32767), 1e-8);
  // One is cut off already, and must not be more so.
  EXPECT_EQ(least({weight, bias, at::scalar_tensor(1e-4), 16}), 1.0 / 64);
  Network without(weight, bias, at::scalar_tensor(0.01), 16);
  without.graph.nodes.back().as<ir::Linear>()->bias_quantizer = ir::kNoQuantizer;
  EXPECT_EQ(least(without), 0);
}

TEST(BiasRange, RaisesOneScaleForAllWhereThatCostsLess) {
  Network net(rows(1e-8, 2e-8), at::tensor({2.0F, -1.0F}), at::scalar_tensor(2e-10), 32);
  EXPECT_EQ(net.fit(), 2);
  EXPECT_EQ(net.range().outside, 0);
}

/// The bias is cut by little, and weights of that size would be rounded by more.
TEST(BiasRange, LeavesABiasSaturatedWhereWeightsWouldSufferMore) {
  Network heavy(at::full({2, 4}, 500.0), at::tensor({8200.0F, 1.0F}), at::scalar_tensor(16.0), 16);
  EXPECT_EQ(heavy.range().outside, 1);
  EXPECT_EQ(heavy.fit(), 0);
  EXPECT_FLOAT_EQ(heavy.scale().item<float>(), 16.0F);
}

}  // namespace
}  // namespace ptq::quant
