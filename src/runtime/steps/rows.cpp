#include "runtime/steps/kernel_step.h"

namespace ptq::runtime {
namespace {

at::Tensor value_of(const std::optional<ir::Parameter>& parameter) {
  return parameter ? parameter->value : at::Tensor();
}

/// Whether `layout` is rows of its last dimension, densely, in whatever order.
bool is_rows(const Layout& layout) {
  return !layout.sizes.empty() && is_dense(layout) &&
         memory_order(layout).back() == layout.sizes.size() - 1;
}

}  // namespace

BuiltStep build_softmax(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  const auto rank = static_cast<int64_t>(in.sizes.size());
  const int64_t dim = request.node.as<ir::Softmax>()->dim;
  if (!is_rows(in) || (dim + rank) % rank != rank - 1) return {};
  const int64_t width = in.sizes.back();
  return kernel_step(onednn::softmax(in.elements() / width, width), request.tail, in);
}

BuiltStep build_layer_norm(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  const auto& op = *request.node.as<ir::LayerNorm>();
  if (!is_rows(in) || op.normalized_shape.size() != 1) return {};
  const int64_t width = in.sizes.back();
  onednn::Kernel kernel = onednn::layer_norm(in.elements() / width, width, value_of(op.weight),
                                             value_of(op.bias), op.eps);
  return kernel_step(std::move(kernel), request.tail, in);
}

}  // namespace ptq::runtime
