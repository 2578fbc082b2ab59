#pragma once

#include <ATen/ops/full.h>

#include <optional>
#include <stdexcept>

#include "ptq/passes/round_weights.h"
#include "quant/fake_quantize.h"
#include "quant/weight_scale.h"
#include "support/batches.h"
#include "support/graph_builder.h"

namespace ptq::passes::testing {

using ptq::testing::batches_of;
using ptq::testing::GraphBuilder;
using ptq::testing::normals;

inline constexpr auto kGptq = RoundingTechnique::kGptq;
inline constexpr auto kGpfq = RoundingTechnique::kGpfq;

inline quant::Quantizer weight_quantizer(int bit_width = 4) {
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kWeight;
  quantizer.format = quant::IntegerFormat{bit_width, true, false};
  quantizer.granularity = quant::Granularity::kPerChannel;
  return quantizer;
}

/// Builds a network whose layers have weight quantizers.
struct RoundingNetwork : QuantizedNetwork {
  explicit RoundingNetwork(std::vector<int64_t> image) : builder(std::move(image)) {}

  GraphBuilder builder;

  /// Gives the layer that makes `value` the quantizer, with its scale.
  ir::ValueId quantize(ir::ValueId value, quant::Quantizer quantizer) {
    ir::Node& node = node_of(builder.graph, value);
    ir::Weighted& layer = *ir::weighted(node.op);
    quantizer.layer = node.name;
    if (quantizer.granularity == quant::Granularity::kPerChannel) {
      quantizer.axis = ir::output_channel_axis(node.op);
    }
    const auto solved = quant::solve_weight_scale(layer.weight.value, quantizer);
    quantizer.zero_point = solved.zero_point;
    layer.weight_quantizer = builder.table.add(quantizer);
    builder.table.scale_of(layer.weight_quantizer).value = solved.scale;
    return value;
  }

  void finish(ir::ValueId output) {
    graph = builder.finish(output);
    table = builder.table;
  }

  ir::Node& layer(const std::string& name) {
    for (ir::Node& node : graph.nodes) {
      if (node.name == name) return node;
    }
    throw std::out_of_range(name);
  }
  at::Tensor codes(const std::string& name) {
    const ir::Weighted& weighted = *ir::weighted(layer(name).op);
    return quant::quantize_weight(weighted.weight.value, table, weighted.weight_quantizer);
  }
  at::Tensor rounded(const std::string& name) {
    const ir::Weighted& weighted = *ir::weighted(layer(name).op);
    return quant::fake_quantize_weight(weighted.weight.value, table, weighted.weight_quantizer);
  }

  static ir::Node& node_of(ir::Graph& graph, ir::ValueId value) {
    for (ir::Node& node : graph.nodes) {
      if (node.output() == value) return node;
    }
    throw std::out_of_range("no node makes this value");
  }
};

}  // namespace ptq::passes::testing
