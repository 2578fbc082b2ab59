#include "ptq/ir/tensors.h"

namespace ptq::ir {
namespace {

struct ParameterVisitor {
  const std::function<void(Parameter&)>& visit;

  void operator()(Parameter& parameter) const { visit(parameter); }
  void operator()(std::optional<Parameter>& parameter) const {
    if (parameter) visit(*parameter);
  }
  void operator()(BatchNorm& op) const {
    (*this)(op.weight), (*this)(op.bias);
    (*this)(op.running_mean), (*this)(op.running_var);
  }
  void operator()(LayerNorm& op) const { (*this)(op.weight), (*this)(op.bias); }
  void operator()(Constant& op) const { (*this)(op.value); }
  void operator()(Relu6& op) const { (*this)(op.ceiling); }
  template <class Other>
  void operator()(Other&) const {}
};

}  // namespace

void visit_parameters(Op& op, const std::function<void(Parameter&)>& visit) {
  const ParameterVisitor visitor{visit};
  if (Weighted* layer = weighted(op)) {
    visitor(layer->weight), visitor(layer->bias);
  }
  std::visit(visitor, op);
}

void visit_tensors(Op& op, const std::function<void(at::Tensor&)>& visit) {
  visit_parameters(op, [&](Parameter& parameter) { visit(parameter.value); });
  auto* opaque = std::get_if<Opaque>(&op);
  if (opaque == nullptr) return;
  for (Argument& argument : opaque->arguments) {
    if (auto* tensor = std::get_if<at::Tensor>(&argument)) visit(*tensor);
  }
}

}  // namespace ptq::ir
