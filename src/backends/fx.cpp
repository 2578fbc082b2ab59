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
    if (!is_read_quantized(ir::Index(state.graph), node->output())) continue;
    const int64_t axis = channel_axis(state, node->output());
    const ir::QuantizerId quantizer =
        add_activation_quantizer(state, {node->name, Sign::kUnsigned, axis});
    state.fused.insert(&quantize_value(state.graph, node->output(), quantizer));
  }
}

/// Decided for all adds on the graph as it is, applied afterwards.
void requantize_adds(State& state) {
  const ir::Index index(state.graph);
  std::vector<std::pair<ir::Node*, Sign>> adds;
  for (ir::Node* node : nodes_where(state.graph, is_add)) {
    if (state.attentions.region_of(*node) != AttentionMap::kOutside) continue;
    if (!is_quantized_add(state, index, *node) || is_released(state, index, *node)) continue;
    const bool is_unsigned = is_value_unsigned(state, index, node->output());
    adds.emplace_back(node, is_unsigned ? Sign::kUnsigned : Sign::kSigned);
  }
  for (const auto& [node, sign] : adds) requantize_output(state, *node, sign);
}

/// A layer multiplies with one scale, or with groups that each have theirs.
bool needs_input_quantizer(State& state, const ir::Node& node) {
  const ir::Index index(state.graph);
  return state.options.activations->granularity == quant::Granularity::kPerGroup
             ? !are_inputs_quantized(state, index, node)
             : !are_inputs_aligned(state, index, node, Alignment::kScale);
}

void quantize_around(State& state, ir::Node& node) {
  if (state.attentions.region_of(node) == AttentionMap::kOutside) {
    requantize_output(state, node, Sign::kSigned);
  }
  if (!needs_input_quantizer(state, node)) return;
  const ActivationSite site{node.name, Sign::kSigned, summed_axis(node)};
  quantize_edge(state.graph, node, 0, add_activation_quantizer(state, site));
}

void quantize_input(State& state) {
  if (!is_read_quantized(ir::Index(state.graph), state.graph.input)) return;
  const int64_t axis = channel_axis(state, state.graph.input);
  quantize_value(state.graph, state.graph.input,
                 add_activation_quantizer(state, {"input", Sign::kSigned, axis}));
}

void quantize_between_layers(State& state) {
  quantize_input(state);
  quantize_activations(state);
  for (const Attention& attention : state.attentions.all()) quantize_operands(state, attention);
  requantize_adds(state);
  align_residuals(state);
  for (const Attention& attention : state.attentions.all()) {
    if (attention.output != nullptr) requantize_output(state, *attention.output, Sign::kSigned);
  }
}

}  // namespace
}  // namespace fx

QuantizedNetwork place_fx(ir::Graph graph, const PlacementOptions& options) {
  fx::State state(std::move(graph), options);
  if (options.activations) fx::quantize_between_layers(state);
  for (ir::Node* node : fx::nodes_where(state.graph, is_quantized_layer)) {
    if (options.activations) fx::quantize_around(state, *node);
    add_layer_quantizers(state, *node, {});
  }
  if (options.activations) fx::release_adds(state);
  return std::move(state);
}

}  // namespace ptq::backends
