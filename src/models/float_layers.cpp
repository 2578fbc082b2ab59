#include "models/float_layers.h"

#include "ir/clamp.h"
#include "ir/opaque_words.h"
#include "ir/padding.h"
#include "ptq/base/error.h"

namespace ptq::models {
namespace {

/// "features.conv" of "features.conv.weight".
std::string layer_of(const std::string& parameter) {
  return parameter.substr(0, parameter.rfind('.'));
}

using Producers = std::map<ir::ValueId, const ir::Node*>;

/// The batch norm whose values the node reads first; null where there is none.
const ir::BatchNorm* norm_before(const ir::Node& node, const Producers& producers) {
  const auto before = node.inputs.empty() ? producers.end() : producers.find(node.inputs.front());
  return before == producers.end() ? nullptr : before->second->as<ir::BatchNorm>();
}

}  // namespace

FloatLayers::FloatLayers(const ir::Graph* graph) {
  if (graph == nullptr) return;
  Producers producers;
  for (const ir::Node& node : graph->nodes) {
    producers[node.output()] = &node;
    if (const ir::BatchNorm* norm = norm_before(node, producers)) {
      activations_.emplace(layer_of(norm->running_mean.name), node.op);
    }
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

ir::Op FloatLayers::activation(const std::string& layer) const {
  const auto found = activations_.find(layer);
  if (found == activations_.end()) return ir::Relu{};
  const ir::Op& op = found->second;
  if (std::holds_alternative<ir::Relu>(op) || std::holds_alternative<ir::Relu6>(op)) return op;
  const std::optional<ir::ClampBounds> bounds = ir::clamp_bounds(op);
  if (!bounds || !bounds->lowest.defined() || !bounds->lowest.eq(0).all().item<bool>()) {
    const auto* opaque = std::get_if<ir::Opaque>(&op);
    throw ImportError(layer + " is followed by " +
                      std::string(opaque ? ir::plain_name(*opaque) : ir::op_name(op)) +
                      ", which is neither a ReLU nor a clamp from 0 on");
  }
  return bounds->highest.defined() ? ir::clamp_to(*bounds, layer) : ir::Op(ir::Relu{});
}

}  // namespace ptq::models
