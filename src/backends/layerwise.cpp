#include "backends/layerwise.h"

#include "backends/layer_placement.h"

namespace ptq::backends {
namespace {

constexpr int64_t kImageChannels = 3;
constexpr int64_t kImageNetClasses = 1000;

/// By shape, not by place: a 1x1 convolution that classifies is not a last layer.
bool is_first_or_last(const ir::Node& node) {
  if (const auto* conv = node.as<ir::Conv>()) {
    const at::Tensor& weight = conv->weight.value;
    return weight.dim() == 4 && weight.size(1) * conv->groups == kImageChannels;
  }
  const auto* linear = node.as<ir::Linear>();
  return linear != nullptr && linear->weight.value.size(0) == kImageNetClasses;
}

/// Signed, even behind a ReLU.
void quantize_input(Draft& draft, ir::Node& node, const LayerFormats& formats) {
  ActivationOptions options = *draft.options.activations;
  if (formats.activation) options.format = *formats.activation;
  const ActivationSite site{node.name, Sign::kSigned, summed_axis(node)};
  quantize_edge(draft.graph, node, 0, add_activation_quantizer(draft, options, site));
}

void quantize_layers(Draft& draft) {
  std::vector<ir::Node*> layers;
  for (ir::Node& node : draft.graph.nodes) {
    if (is_quantized_layer(node)) layers.push_back(&node);
  }
  for (ir::Node* node : layers) {
    const LayerFormats formats =
        is_first_or_last(*node) ? draft.options.first_last : LayerFormats{};
    if (draft.options.activations) quantize_input(draft, *node, formats);
    add_layer_quantizers(draft, *node, formats);
  }
}

}  // namespace

QuantizedNetwork place_layerwise(ir::Graph graph, const PlacementOptions& options) {
  Draft draft(std::move(graph), options);
  quantize_layers(draft);
  if (!options.activations) return std::move(draft);
  for (const Attention& attention : draft.attentions.all()) {
    if (attention.kind == Attention::Kind::kModule) quantize_operands(draft, attention);
  }
  return std::move(draft);
}

}  // namespace ptq::backends
