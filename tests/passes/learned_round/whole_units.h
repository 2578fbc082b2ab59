#pragma once

#include <optional>

#include "runtime/layer_sweep.h"
#include "support/graph_builder.h"

/// Small networks that are taken forward and backward as one unit.
namespace ptq::passes {

using testing::GraphBuilder;
using testing::normals;

/// All nodes of a graph.
inline runtime::SweepUnit whole(ir::Graph& graph) {
  runtime::SweepUnit unit{{}, graph.input, graph.output};
  for (ir::Node& node : graph.nodes) {
    if (!node.is<ir::Constant>()) unit.nodes.push_back(&node);
  }
  return unit;
}

/// Attention with a residual add; `scale` is that of what it reads, if that is quantized.
inline GraphBuilder attention(std::optional<double> scale) {
  GraphBuilder builder({5, 8});
  ir::LayerNorm norm;
  norm.normalized_shape = {8};
  norm.weight = builder.weight({8});
  norm.bias = builder.weight({8});
  const auto normal = builder.add(norm, {builder.input()});
  const auto input = scale ? builder.fake_quantize(normal, *scale) : normal;
  const auto q = builder.linear(input, 8);
  const auto k = builder.linear(input, 8);
  const auto v = builder.linear(input, 8);
  const auto transposed = builder.add(ir::Permute{{0, 2, 1}}, {k});
  const auto scores = builder.add(ir::MulScalar{0.3}, {builder.add(ir::MatMul{}, {q, transposed})});
  const auto mixed = builder.add(ir::MatMul{}, {builder.add(ir::Softmax{-1}, {scores}), v});
  const auto projected = builder.linear(mixed, 8);
  builder.graph.output = builder.add(ir::Add{}, {projected, builder.input()});
  for (const auto value : {q, k, v, projected}) builder.quantize_weight(value, 1e-3);
  return builder;
}

/// A transposed convolution times a constant.
inline GraphBuilder transposed_convolution() {
  GraphBuilder builder({3, 4, 4});
  ir::ConvTranspose up;
  up.weight = builder.weight({3, 5, 2, 2});
  up.stride = {2, 2};
  up.padding = up.output_padding = {0, 0};
  up.dilation = {1, 1};
  const auto larger = builder.add(up, {builder.input()});
  const auto shift = builder.constant(normals({1, 5, 8, 8}, 1, 2));
  builder.graph.output = builder.add(ir::Mul{}, {larger, shift});
  builder.quantize_weight(larger, 1e-3);
  return builder;
}

}  // namespace ptq::passes
