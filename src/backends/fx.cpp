#include "backends/fx.h"

#include "backends/fx_rules.h"
#include "backends/layer_placement.h"

namespace ptq::backends {
namespace fx {
namespace {

std::vector<ir::Node*> nodes_where(ir::Graph& graph, bool (*predicate)(const ir::Node&)) {
  std::vector<ir::Node*> found;
  for (ir::Node& node : graph.nodes) {
    if (predicate(node)) found.push_back(&node);
  }
  return found;
}

void quantize_activations(State& state) {
  for (ir::Node* node : nodes_where(state.graph, is_quantized_activation)) {
    const ir::QuantizerId quantizer = add_activation_quantizer(state, node->name, Sign::kUnsigned);
    state.fused.insert(&quantize_value(state, node->output(), quantizer));
  }
}

/// The operands of both products of every attention (5.6).
void quantize_attentions(State& state) {
  const auto quantize = [&](ir::Node* node, size_t input, Sign sign) {
    quantize_edge(state, *node, input, add_activation_quantizer(state, node->name, sign));
  };
  for (const Attention& attention : state.attentions.all()) {
    quantize(attention.scores, 0, Sign::kSigned);
    quantize(attention.scores, 1, Sign::kSigned);
    quantize(attention.context, 0, Sign::kUnsigned);
    quantize(attention.context, 1, Sign::kSigned);
  }
}

/// Decided for all adds on the graph as it is, applied afterwards.
void requantize_adds(State& state) {
  const ir::Index index(state.graph);
  std::vector<std::pair<ir::Node*, Sign>> adds;
  for (ir::Node* node : nodes_where(state.graph, is_add)) {
    if (state.attentions.region_of(*node) != AttentionMap::kOutside) continue;
    adds.emplace_back(node,
                      are_inputs_unsigned(state, index, *node) ? Sign::kUnsigned : Sign::kSigned);
  }
  for (const auto& [node, sign] : adds) requantize_output(state, *node, sign);
}

void quantize_layer(State& state, ir::Node& node) {
  if (state.attentions.region_of(node) == AttentionMap::kOutside) {
    requantize_output(state, node, Sign::kSigned);
  }
  const ir::Index index(state.graph);
  if (!are_inputs_aligned(state, index, node, Alignment::kScale)) {
    quantize_edge(state, node, 0, add_activation_quantizer(state, node.name, Sign::kSigned));
  }
  add_layer_quantizers(state.table, node, state.options);
}

void quantize_layers(State& state) {
  for (const Attention& attention : state.attentions.all()) {
    if (attention.output != nullptr) requantize_output(state, *attention.output, Sign::kSigned);
  }
  const auto layers = nodes_where(
      state.graph, [](const ir::Node& node) { return ir::weighted(node.op) != nullptr; });
  for (ir::Node* node : layers) quantize_layer(state, *node);
}

}  // namespace
}  // namespace fx

quant::QuantizerTable place_fx(ir::Graph& graph, const PlacementOptions& options) {
  fx::State state(graph, options);
  const ir::QuantizerId input = fx::add_activation_quantizer(state, "input", fx::Sign::kSigned);
  fx::quantize_value(state, graph.input, input);
  fx::quantize_activations(state);
  fx::quantize_attentions(state);
  fx::requantize_adds(state);
  fx::align_residuals(state);
  fx::quantize_layers(state);
  return std::move(state.table);
}

}  // namespace ptq::backends
