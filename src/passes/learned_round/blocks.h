#pragma once

#include <string>
#include <vector>

#include "ptq/ir/graph.h"
#include "runtime/layer_sweep.h"

/// What learned rounding treats together. All units are in execution order and do not overlap;
/// every layer with a quantized weight is in one.
namespace ptq::passes {

/// Whether the rounding of a node's weight can be learned: it has a weight quantizer.
bool is_rounded(const ir::Node& node);

/// Every layer by itself.
std::vector<runtime::SweepUnit> layer_units(ir::Graph& graph);

/// Blocks by the structure of the graph; other layers by themselves. A block is
///
/// - what lies between a split and the add or concat that joins it, with the activation after it:
///   residual blocks, the attention and the MLP half of a transformer's layer;
/// - the same with the layer before it where no branch is an identity: fire modules;
/// - the layer before, a depthwise convolution, and the layer after, where they stand in a chain:
///   inverted residuals whose stride forbids the shortcut;
///
/// each with the quantizer at its input.
std::vector<runtime::SweepUnit> structural_blocks(ir::Graph& graph);

/// The outermost modules whose own name `regex` finds, as blocks, with what the backend put between
/// their nodes; other layers by themselves. Empty if it finds none. Throws ConfigError naming the
/// module if one reads or makes more than one value, or overlaps with another; and if `regex` is no
/// regular expression.
std::vector<runtime::SweepUnit> named_blocks(ir::Graph& graph, const std::string& regex);

/// Blocks and, for every rounded layer in none of them, a unit of its own.
std::vector<runtime::SweepUnit> with_single_layers(ir::Graph& graph,
                                                   std::vector<runtime::SweepUnit> blocks);

/// A layer's name, or `first .. last` of a block's layers.
std::string name_of(const runtime::SweepUnit& unit);

}  // namespace ptq::passes
