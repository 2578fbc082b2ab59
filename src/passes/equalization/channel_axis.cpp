#include "passes/equalization/channel_axis.h"

#include <algorithm>
#include <numeric>

#include "ir/clamp.h"
#include "ir/padding.h"

namespace ptq::passes {
namespace {

const ir::Dims& shape_of(const ir::Graph& graph, ir::ValueId value) {
  return graph.values[static_cast<size_t>(value)].shape;
}

/// Elements from one channel to the next, for a batch of two.
int64_t stride_of(const ir::Dims& shape, int64_t axis) {
  return std::accumulate(shape.begin() + axis + 1, shape.end(), int64_t{1},
                         [](int64_t product, const ir::Dim& dim) { return product * dim.at(2); });
}

std::optional<int64_t> after_reshape(const ir::Dims& in, const ir::Dims& out, int64_t axis) {
  for (int64_t i = 0; i < static_cast<int64_t>(out.size()); ++i) {
    const bool same_extent = out[static_cast<size_t>(i)] == in[static_cast<size_t>(axis)];
    if (same_extent && stride_of(out, i) == stride_of(in, axis)) return i;
  }
  return std::nullopt;
}

std::optional<int64_t> after_mean(const ir::Mean& mean, size_t rank, int64_t axis) {
  if (mean.dims.empty()) return std::nullopt;  // over everything
  int64_t removed_before = 0;
  for (int64_t dim : mean.dims) {
    if (dim < 0) dim += static_cast<int64_t>(rank);
    if (dim == axis) return std::nullopt;
    removed_before += dim < axis ? 1 : 0;
  }
  return mean.keepdim ? axis : axis - removed_before;
}

std::optional<int64_t> after_pool(int64_t axis) {
  return axis == 1 ? std::optional<int64_t>(1) : std::nullopt;
}

/// One overload an operation that passes factors through; nothing for the rest.
struct AxisAfter {
  const ir::Dims& in;
  const ir::Dims& out;
  int64_t axis;

  std::optional<int64_t> operator()(const ir::Relu&) const { return axis; }
  std::optional<int64_t> operator()(const ir::Relu6&) const { return axis; }
  std::optional<int64_t> operator()(const ir::LeakyRelu&) const { return axis; }
  std::optional<int64_t> operator()(const ir::MulScalar&) const { return axis; }
  std::optional<int64_t> operator()(const ir::MaxPool&) const { return after_pool(axis); }
  std::optional<int64_t> operator()(const ir::AvgPool&) const { return after_pool(axis); }
  std::optional<int64_t> operator()(const ir::AdaptiveAvgPool&) const { return after_pool(axis); }
  std::optional<int64_t> operator()(const ir::Mean& op) const {
    return after_mean(op, in.size(), axis);
  }
  std::optional<int64_t> operator()(const ir::Reshape&) const {
    return after_reshape(in, out, axis);
  }
  std::optional<int64_t> operator()(const ir::Permute& op) const {
    return std::find(op.dims.begin(), op.dims.end(), axis) - op.dims.begin();
  }
  std::optional<int64_t> operator()(const ir::Select& op) const {
    if (op.dim == axis) return std::nullopt;
    return op.dim < axis ? axis - 1 : axis;
  }
  std::optional<int64_t> operator()(const ir::Slice& op) const {
    return op.dim == axis ? std::nullopt : std::optional(axis);
  }
  std::optional<int64_t> operator()(const ir::Opaque& op) const {
    if (ir::clamp_bounds(op)) return axis;
    const std::optional<ir::Ints> padding = ir::zero_padding(op);
    if (!padding || ir::pads_axis(*padding, in.size(), axis)) return std::nullopt;
    return axis;
  }
  template <class Other>
  std::optional<int64_t> operator()(const Other&) const {
    return std::nullopt;
  }
};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// nn.MultiheadAttention alone owns a parameter of this name.
bool is_packed_projection(const ir::Node& node) {
  const ir::Weighted* layer = ir::weighted(node.op);
  return layer != nullptr && ends_with(layer->weight.name, "in_proj_weight");
}

/// Those nodes of modules nn.MultiheadAttention that `wanted` says.
template <class Wanted>
std::unordered_set<const ir::Node*> attention_nodes(const ir::Graph& graph, Wanted wanted) {
  std::unordered_set<std::string> modules;
  for (const ir::Node& node : graph.nodes) {
    if (is_packed_projection(node)) modules.insert(node.module);
  }
  std::unordered_set<const ir::Node*> nodes;
  for (const ir::Node& node : graph.nodes) {
    if (modules.count(node.module) != 0 && wanted(node)) nodes.insert(&node);
  }
  return nodes;
}

}  // namespace

std::optional<int64_t> axis_after(const ir::Graph& graph, const ir::Node& node, int64_t axis) {
  if (node.inputs.size() != 1) return std::nullopt;
  return std::visit(
      AxisAfter{shape_of(graph, node.inputs[0]), shape_of(graph, node.output()), axis}, node.op);
}

std::optional<int64_t> axis_before(const ir::Graph& graph, const ir::Node& node, int64_t axis) {
  if (node.inputs.size() != 1) return std::nullopt;
  const ir::Dims& in = shape_of(graph, node.inputs[0]);
  const ir::Dim& extent = shape_of(graph, node.output())[static_cast<size_t>(axis)];
  for (int64_t i = 0; i < static_cast<int64_t>(in.size()); ++i) {
    if (in[static_cast<size_t>(i)] == extent && axis_after(graph, node, i) == axis) return i;
  }
  return std::nullopt;
}

std::optional<int64_t> broadcast_axis(const ir::Graph& graph, ir::ValueId input, ir::ValueId output,
                                      int64_t axis) {
  const ir::Dims& in = shape_of(graph, input);
  const ir::Dims& out = shape_of(graph, output);
  const auto moved = axis + static_cast<int64_t>(out.size()) - static_cast<int64_t>(in.size());
  const bool same = out[static_cast<size_t>(moved)] == in[static_cast<size_t>(axis)];
  return same ? std::optional(moved) : std::nullopt;
}

int64_t channel_axis(const ir::Op& op, size_t rank) {
  const bool last =
      std::holds_alternative<ir::Linear>(op) || std::holds_alternative<ir::LayerNorm>(op);
  return last ? static_cast<int64_t>(rank) - 1 : 1;
}

std::optional<int64_t> input_channel_axis(const ir::Op& op) {
  if (const auto* conv = std::get_if<ir::Conv>(&op)) {
    if (conv->groups == 1) return 1;
    const bool depthwise = conv->groups == conv->weight.value.size(0);
    return depthwise ? std::optional<int64_t>(0) : std::nullopt;
  }
  if (const auto* conv = std::get_if<ir::ConvTranspose>(&op)) {
    return conv->groups == 1 ? std::optional<int64_t>(0) : std::nullopt;
  }
  return std::holds_alternative<ir::Linear>(op) ? std::optional<int64_t>(1) : std::nullopt;
}

ChannelMaker channel_maker(ir::Op& op) {
  const auto of = [](std::optional<ir::Parameter>& parameter) {
    return parameter ? &*parameter : nullptr;
  };
  if (const auto* conv = std::get_if<ir::ConvTranspose>(&op); conv != nullptr && conv->groups > 1) {
    return {};
  }
  if (ir::Weighted* layer = ir::weighted(op)) {
    return {&layer->weight, of(layer->bias), ir::output_channel_axis(op)};
  }
  if (auto* norm = std::get_if<ir::BatchNorm>(&op)) return {of(norm->weight), of(norm->bias), 0};
  if (auto* norm = std::get_if<ir::LayerNorm>(&op); norm && norm->normalized_shape.size() == 1) {
    return {of(norm->weight), of(norm->bias), 0};
  }
  return {};
}

std::unordered_set<const ir::Node*> attention_permutations(const ir::Graph& graph) {
  return attention_nodes(graph, [](const ir::Node& node) { return node.is<ir::Permute>(); });
}

std::unordered_set<const ir::Node*> attention_inputs(const ir::Graph& graph) {
  return attention_nodes(graph, is_packed_projection);
}

std::unordered_set<const ir::Node*> attention_outputs(const ir::Graph& graph) {
  return attention_nodes(graph, [](const ir::Node& node) {
    return ir::weighted(node.op) != nullptr && !is_packed_projection(node);
  });
}

}  // namespace ptq::passes
