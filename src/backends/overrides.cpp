#include "backends/overrides.h"

#include <algorithm>
#include <regex>

#include "base/pattern.h"
#include "ptq/base/error.h"
#include "ptq/base/invalid_option.h"
#include "quant/layer_quantizers.h"

namespace ptq::backends {
namespace {

std::regex compile(const std::string& pattern) {
  if (auto regex = compile_pattern(pattern)) return *regex;
  constexpr size_t kShown = 100;
  const bool is_long = pattern.size() > kShown;
  throw InvalidOption("layer_bits",
                      std::string("is not a regular expression without references to groups") +
                          (is_long ? ", or is too long or nested too deep" : ""),
                      "'" + pattern.substr(0, kShown) + (is_long ? "...'" : "'"));
}

std::vector<ir::Node*> quantized_layers(ir::Graph& graph) {
  std::vector<ir::Node*> layers;
  for (ir::Node& node : graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer != nullptr && layer->weight_quantizer != ir::kNoQuantizer) layers.push_back(&node);
  }
  return layers;
}

/// For each override, the layers that no later one claims.
std::vector<std::vector<ir::Node*>> match(const std::vector<LayerOverride>& overrides,
                                          const std::vector<ir::Node*>& layers) {
  std::vector<std::vector<ir::Node*>> claimed(overrides.size());
  std::vector<ir::Node*> taken;
  for (size_t i = overrides.size(); i-- > 0;) {
    const std::regex pattern = compile(overrides[i].pattern);
    bool found = false;
    for (ir::Node* layer : layers) {
      if (!std::regex_search(layer->name, pattern)) continue;
      found = true;
      if (std::find(taken.begin(), taken.end(), layer) != taken.end()) continue;
      claimed[i].push_back(layer);
      taken.push_back(layer);
    }
    if (!found) {
      throw InvalidOption("layer_bits", "matches no quantized layer",
                          "'" + overrides[i].pattern + "'");
    }
  }
  return claimed;
}

/// One scale serves all its quantizers, so they change together.
void set_bit_width(quant::QuantizerTable& table, ir::QuantizerId id, int bit_width,
                   const std::string& pattern) {
  const quant::ScaleId scale = table.at(id).scale;
  double divisor = 0;
  for (quant::Quantizer& quantizer : table.quantizers) {
    if (quantizer.scale != scale) continue;
    auto* integer = std::get_if<quant::IntegerFormat>(&quantizer.format);
    if (integer == nullptr) {
      throw InvalidOption("layer_bits",
                          "asks for other bits at " + quantizer.layer +
                              ", but minifloats have those of their format",
                          "'" + pattern + "'");
    }
    integer->bit_width = bit_width;
    const double own = quant::threshold_divisor(quantizer);
    divisor = divisor == 0 ? own : std::min(divisor, own);
  }
  table.scale_of(id).threshold_divisor = divisor;
}

void apply(const ir::Index& index, quant::QuantizerTable& table, const LayerOverride& change,
           const ir::Node& layer) {
  if (change.weight_bit_width) {
    set_bit_width(table, ir::weighted(layer.op)->weight_quantizer, *change.weight_bit_width,
                  change.pattern);
  }
  if (!change.act_bit_width) return;
  for (const ir::QuantizerId id : quant::feeding_quantizers(index, layer.inputs[0])) {
    set_bit_width(table, id, *change.act_bit_width, change.pattern);
  }
}

}  // namespace

void apply_overrides(QuantizedNetwork& network, const PlacementOptions& options) {
  for (const LayerOverride& change : options.overrides) {
    if (!change.act_bit_width || options.activations) continue;
    throw InvalidOption("layer_bits", "asks for activation bits, but activations are not quantized",
                        "'" + change.pattern + "'");
  }
  const auto claimed = match(options.overrides, quantized_layers(network.graph));
  const ir::Index index(network.graph);
  for (size_t i = 0; i < claimed.size(); ++i) {
    for (const ir::Node* layer : claimed[i]) {
      apply(index, network.table, options.overrides[i], *layer);
    }
  }
}

}  // namespace ptq::backends
