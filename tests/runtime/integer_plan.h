#pragma once

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <utility>

#include "runtime/integer_layers.h"
#include "runtime/plan/plan.h"
#include "support/graph_builder.h"
#include "support/integer_oracle.h"

namespace ptq::runtime {

using testing::GraphBuilder;
using testing::normals;

struct WeightFormat {
  int bit_width = 8;
  bool per_channel = false, asymmetric = false, narrow = false;
};

/// Builds quantized networks, and holds their plan on integers to the definition, bit for bit.
class IntegerPlan : public ::testing::Test {
 protected:
  GraphBuilder builder_{{6, 13, 11}};

  ir::ValueId asymmetric(ir::ValueId in, double scale, double zero_point) {
    const ir::QuantizerId id = builder_.activation_quantizer(scale, false);
    builder_.table.at(id).symmetry = quant::Symmetry::kAsymmetric;
    builder_.table.at(id).zero_point = at::full({}, zero_point, at::kFloat);
    return builder_.fake_quantize_with(in, id);
  }

  ir::Node& maker(ir::ValueId value) {
    for (ir::Node& node : builder_.graph.nodes) {
      if (node.output() == value) return node;
    }
    throw std::logic_error("nobody makes this value");
  }

  /// Gives a layer a weight quantizer, and a bias quantizer if it has a bias and `bias_bits`.
  ir::ValueId quantize_layer(ir::ValueId value, WeightFormat format = {}, int bias_bits = 32) {
    ir::Node& node = maker(value);
    ir::Weighted& layer = *ir::weighted(node.op);
    quant::Quantizer weight;
    weight.kind = quant::QuantizerKind::kWeight;
    weight.layer = node.name;
    weight.format = quant::IntegerFormat{format.bit_width, !format.asymmetric, format.narrow};
    weight.axis = ir::output_channel_axis(node.op);
    const int64_t channels = layer.weight.value.size(weight.axis);
    if (format.per_channel) weight.granularity = quant::Granularity::kPerChannel;
    const at::Tensor spread = normals({channels}, 1, 77).abs().add(0.3);
    const double step = 2.4 / (1 << format.bit_width);
    const at::Tensor ones = at::full({channels}, 1, at::kFloat);
    if (format.asymmetric) {
      weight.symmetry = quant::Symmetry::kAsymmetric;
      const double middle = 0.45 * (1 << format.bit_width);
      weight.zero_point = format.per_channel ? spread.mul(middle).round().clamp_max(255)
                                             : at::full({}, std::round(middle), at::kFloat);
    }
    layer.weight_quantizer = builder_.table.add(weight);
    builder_.table.scale_of(layer.weight_quantizer).value =
        format.per_channel ? spread.mul(step) : at::full({}, step, at::kFloat);
    if (layer.bias && bias_bits != 0) {
      quant::Quantizer bias;
      bias.kind = quant::QuantizerKind::kBias;
      bias.layer = node.name;
      bias.format = quant::IntegerFormat{bias_bits, true, false};
      layer.bias_quantizer = builder_.table.add(bias);
    }
    return value;
  }

  ir::ValueId conv(ir::ValueId in, int64_t channels, GraphBuilder::ConvOptions options = {},
                   WeightFormat format = {}, int bias_bits = 32) {
    return quantize_layer(builder_.conv(in, channels, options), format, bias_bits);
  }

  ir::ValueId input(double scale = 0.031) {
    return builder_.fake_quantize(builder_.input(), scale);
  }

  void expect_oracle(ir::ValueId output, float spread = 1) {
    const ir::Graph graph = builder_.finish(output);
    for (const LayerArithmetic& layer : layer_arithmetic(builder_)) {
      EXPECT_TRUE(layer.on_integers) << layer.layer << ": " << layer.reason;
    }
    const at::Tensor images = normals(ir::at_batch(graph.values[0].shape, 7), spread, 5);
    const at::Tensor expected = testing::integer_oracle(builder_, images);
    EXPECT_GT(expected.abs().max().item<float>(), 0);
    for (const auto& [threads, micro_batch] : {std::pair{1, 1}, {2, 2}, {1, 8}}) {
      ExecutorOptions options;
      options.threads = threads;
      options.arithmetic = Arithmetic::kInteger;
      const auto plan = make_plan(builder_, options, micro_batch);
      EXPECT_TRUE(at::equal(plan->run(images), expected)) << micro_batch << " at once";
      EXPECT_TRUE(at::equal(plan->run(images.narrow(0, 2, 1)), expected.narrow(0, 2, 1)));
    }
  }
};

}  // namespace ptq::runtime
