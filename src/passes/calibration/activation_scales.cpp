#include "passes/activation_scales.h"

#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

std::vector<const ir::Node*> fake_quantize_nodes(const ir::Graph& graph) {
  std::vector<const ir::Node*> nodes;
  for (const ir::Node& node : graph.nodes) {
    if (node.is<ir::FakeQuantize>()) nodes.push_back(&node);
  }
  return nodes;
}

ir::QuantizerId quantizer_of(const ir::Node& node) {
  return node.as<ir::FakeQuantize>()->quantizer;
}

}  // namespace

ActivationScales activation_scales(NetworkView network) {
  const quant::QuantizerTable& table = network.table;
  ActivationScales scales;
  for (const ir::Node* node : fake_quantize_nodes(network.graph)) {
    const ir::QuantizerId id = quantizer_of(*node);
    scales.push_back({node->name, table.scale_of(id).value, table.at(id).zero_point});
  }
  return scales;
}

void set_activation_scales(QuantizedNetwork& network, const ActivationScales& scales) {
  const std::vector<const ir::Node*> nodes = fake_quantize_nodes(network.graph);
  if (nodes.size() != scales.size()) {
    throw InternalError("activation scales are of " + std::to_string(scales.size()) +
                        " places, the network has " + std::to_string(nodes.size()));
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i]->name != scales[i].node) {
      throw InternalError("the activation scale of " + scales[i].node + " is not for " +
                          nodes[i]->name);
    }
    const ir::QuantizerId id = quantizer_of(*nodes[i]);
    network.table.scale_of(id).value = scales[i].scale;
    network.table.at(id).zero_point = scales[i].zero_point;
  }
}

}  // namespace ptq::passes
