#include "ptq/ir/tensors.h"

namespace ptq::ir {
namespace {

struct TensorVisitor {
  const std::function<void(at::Tensor&)>& visit;

  void operator()(Parameter& parameter) const { visit(parameter.value); }
  void operator()(std::optional<Parameter>& parameter) const {
    if (parameter) visit(parameter->value);
  }
  void operator()(BatchNorm& op) const {
    (*this)(op.weight), (*this)(op.bias);
    (*this)(op.running_mean), (*this)(op.running_var);
  }
  void operator()(LayerNorm& op) const { (*this)(op.weight), (*this)(op.bias); }
  void operator()(Constant& op) const { (*this)(op.value); }
  void operator()(Opaque& op) const {
    for (Argument& argument : op.arguments) {
      if (auto* tensor = std::get_if<at::Tensor>(&argument)) visit(*tensor);
    }
  }
  template <class Other>
  void operator()(Other&) const {}
};

}  // namespace

void visit_tensors(Op& op, const std::function<void(at::Tensor&)>& visit) {
  const TensorVisitor visitor{visit};
  if (Weighted* layer = weighted(op)) {
    visitor(layer->weight), visitor(layer->bias);
  }
  std::visit(visitor, op);
}

}  // namespace ptq::ir
