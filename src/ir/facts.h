#pragma once

#include <vector>

#include "ptq/ir/graph.h"

/// What is known of the values of a graph without running it.
namespace ptq::ir {

/// Numbers so large, or infinite, that they stand for "never": what attention masks are made of.
inline constexpr double kLeastMask = 1000;

/// Whether each value may hold numbers that stand for minus infinity: a mask, or anything that a
/// mask was added or written into, up to the softmax (or another function with bounds) that turns
/// them into zeros. Such a value has no range that a scale could cover.
std::vector<bool> masked_values(const Graph& graph);

/// Whether each value is surely of floating type, and not places, decisions or counts.
std::vector<bool> float_values(const Graph& graph);

/// Whether no image flows into `value`.
bool is_constant(const Index& index, ValueId value);

/// Weights, without which no layer multiplies activations: those that layers own, and constants
/// with two extents or more that a matrix product or an operator without a lowering multiplies
/// with.
struct WeightUse {
  const Node* node = nullptr;
  at::Tensor weight;
};
std::vector<WeightUse> weights_outside_layers(const Graph& graph);

}  // namespace ptq::ir
