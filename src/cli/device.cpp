#include "device.h"

namespace ptq::cli {
namespace {

void move(ir::Parameter& parameter, c10::Device device) {
  parameter.value = parameter.value.to(device);
}

void move(std::optional<ir::Parameter>& parameter, c10::Device device) {
  if (parameter) move(*parameter, device);
}

/// Moves the tensors an operation holds beside a layer's weight and bias.
struct Mover {
  c10::Device device;

  void operator()(ir::BatchNorm& op) const {
    move(op.weight, device), move(op.bias, device);
    move(op.running_mean, device), move(op.running_var, device);
  }
  void operator()(ir::LayerNorm& op) const { move(op.weight, device), move(op.bias, device); }
  void operator()(ir::Constant& op) const { move(op.value, device); }
  void operator()(ir::Opaque& op) const {
    for (ir::Argument& argument : op.arguments) {
      if (auto* tensor = std::get_if<at::Tensor>(&argument)) *tensor = tensor->to(device);
    }
  }
  template <class Op>
  void operator()(Op&) const {}
};

}  // namespace

void move_to(ir::Graph& graph, c10::Device device) {
  if (device.is_cpu()) return;
  for (ir::Node& node : graph.nodes) {
    if (ir::Weighted* layer = ir::weighted(node.op)) {
      move(layer->weight, device), move(layer->bias, device);
    }
    std::visit(Mover{device}, node.op);
  }
}

}  // namespace ptq::cli
