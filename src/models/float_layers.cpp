#include "models/float_layers.h"

#include "ir/padding.h"

namespace ptq::models {
namespace {

/// "features.conv" of "features.conv.weight".
std::string layer_of(const std::string& parameter) {
  return parameter.substr(0, parameter.rfind('.'));
}

}  // namespace

FloatLayers::FloatLayers(const ir::Graph* graph) {
  if (graph == nullptr) return;
  std::map<ir::ValueId, const ir::Node*> producers;
  for (const ir::Node& node : graph->nodes) {
    producers[node.output()] = &node;
    has_relu6_ = has_relu6_ || node.is<ir::Relu6>();
    if (const auto* norm = node.as<ir::BatchNorm>()) {
      eps_[layer_of(norm->running_mean.name)] = norm->eps;
    }
    const auto* conv = node.as<ir::Conv>();
    if (conv == nullptr) continue;
    Padding padding{conv->padding, {}};
    const auto before = producers.find(node.inputs.front());
    if (before != producers.end() && ir::zero_padding(before->second->op)) {
      padding.zeros = before->second->op;
    }
    paddings_[layer_of(conv->weight.name)] = std::move(padding);
  }
}

const FloatLayers::Padding* FloatLayers::padding(const std::string& layer) const {
  const auto found = paddings_.find(layer);
  return found == paddings_.end() ? nullptr : &found->second;
}

double FloatLayers::eps(const std::string& layer, double otherwise) const {
  const auto found = eps_.find(layer);
  return found == eps_.end() ? otherwise : found->second;
}

}  // namespace ptq::models
