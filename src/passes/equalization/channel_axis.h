#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>

#include "ptq/ir/graph.h"

/// Along which axis channels lie, in values and in weights.
namespace ptq::passes {

/// Axis of the channels of `node`'s output, given their axis in its only input, where the operation
/// multiplied by a positive factor per channel is the operation of the input so multiplied (relu,
/// relu6 with its ceilings multiplied, too, pools, zeros around, reshapes that keep channels apart;
/// reference-contract 6.4). Nothing for other operations, and none for permutations.
std::optional<int64_t> axis_after(const ir::Graph& graph, const ir::Node& node, int64_t axis);

/// The inverse: axis in the only input of what lies along `axis` in the output.
std::optional<int64_t> axis_before(const ir::Graph& graph, const ir::Node& node, int64_t axis);

/// Axis of the channels in the output of an elementwise operation of two inputs, given their axis
/// in `input`; nothing where broadcasting makes several of one.
std::optional<int64_t> broadcast_axis(const ir::Graph& graph, ir::ValueId input, ir::ValueId output,
                                      int64_t axis);

/// Axis along which a layer reads (Conv, ConvTranspose, Linear) or writes (those and
/// normalizations) channels in a value of `rank` dimensions.
int64_t channel_axis(const ir::Op& op, size_t rank);

/// Axis of a layer's weight that runs over the channels it reads; nothing for a grouped convolution
/// that is not depthwise.
std::optional<int64_t> input_channel_axis(const ir::Op& op);

/// What makes channels of its own: weight and bias of a layer, or of a normalization over channels
/// alone. Empty where the operation cannot scale its channels.
struct ChannelMaker {
  ir::Parameter* weight = nullptr;
  ir::Parameter* bias = nullptr;
  int64_t weight_axis = 0;
  explicit operator bool() const { return weight != nullptr; }
};
ChannelMaker channel_maker(ir::Op& op);

/// Permutations that turn the input of an nn.MultiheadAttention to sequence first and its output
/// back: they belong to the attention, whose input projection reads channels and whose output
/// projection makes them.
std::unordered_set<const ir::Node*> attention_permutations(const ir::Graph& graph);

/// Input projections of nn.MultiheadAttention.
std::unordered_set<const ir::Node*> attention_inputs(const ir::Graph& graph);

/// Output projections of nn.MultiheadAttention.
std::unordered_set<const ir::Node*> attention_outputs(const ir::Graph& graph);

}  // namespace ptq::passes
