#pragma once

#include <unordered_set>

#include "backends/attention.h"
#include "ptq/backends/placement.h"

/// What the fx steps ask of a graph and how they change it (reference-behaviour 5.2 to 5.4).
namespace ptq::backends::fx {

/// The graph being placed. FakeQuantize nodes in `fused` stand for the quantizer inside an
/// activation; all others are identities of their own.
struct State {
  ir::Graph& graph;
  const PlacementOptions& options;
  AttentionMap attentions;
  quant::QuantizerTable table;
  std::unordered_set<const ir::Node*> fused;

  State(ir::Graph& graph_, const PlacementOptions& options_)
      : graph(graph_), options(options_), attentions(graph_) {}
};

enum class Sign { kSigned, kUnsigned };

/// Whether operands must agree in scale alone (add) or in the whole quantizer (concat).
enum class Alignment { kScale, kQuantizer };

/// A new activation quantizer for values of `layer`.
ir::QuantizerId add_activation_quantizer(State& state, const std::string& layer, Sign sign);

/// Puts a FakeQuantize behind `value` for all its users, or for one of them.
ir::Node& quantize_value(State& state, ir::ValueId value, ir::QuantizerId quantizer);
ir::Node& quantize_edge(State& state, ir::Node& user, size_t input, ir::QuantizerId quantizer);

/// Activations that carry a quantizer at their output.
bool is_quantized_activation(const ir::Node& node);
bool is_add(const ir::Node& node);

/// Operations the alignment walker looks through.
bool passes_alignment(const ir::Node& node);

/// Every value that reaches `node` is non-negative, by the quantizers and constants above it.
/// The reference takes any identity for unsigned (10, row 16); here its true sign counts.
bool are_inputs_unsigned(const State& state, const ir::Index& index, const ir::Node& node);

/// At most one distinct quantizer (or scale) above the inputs of `node`, and nothing unquantized
/// (5.3).
bool are_inputs_aligned(const State& state, const ir::Index& index, const ir::Node& node,
                        Alignment alignment);

/// Requantizes `node`'s output for all users if any user lacks an activation quantizer (5.2,
/// steps 3 and 5); looks through batch norm.
void requantize_output(State& state, ir::Node& node, Sign sign);

/// Step 4: shared scales at adds and concats, to a fixed point.
void align_residuals(State& state);

}  // namespace ptq::backends::fx
