#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/quant/quantized_network.h"

namespace ptq::quant {

/// Where a quantizer stands in a graph, under the name that the dump gives it.
struct QuantizerSite {
  /// The layer of a weight or bias, or what produces an activation.
  std::string name;
  /// The layer, or the FakeQuantize node.
  const ir::Node* node = nullptr;
  ir::QuantizerId id = ir::kNoQuantizer;
};

/// In execution order, weights before biases; also of biases that their layers may yet get. Sites
/// point into the graph.
std::vector<QuantizerSite> quantizer_sites(ir::Graph& graph);

/// Whether the site is of a bias that its layer does not have.
bool is_without_bias(const QuantizerSite& site, const QuantizerTable& table);

/// "weight", "bias", "activation".
std::string kind_word(QuantizerKind kind);

/// Sizes of the scale that calibration finds there: [], [C], or those of groups. Of weights and
/// static activations.
std::vector<int64_t> scale_sizes(const QuantizedNetwork& network, const QuantizerSite& site);

}  // namespace ptq::quant
