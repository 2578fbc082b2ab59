#include "runtime/steps/kernel_step.h"

namespace ptq::runtime {
namespace {

at::Tensor dense_float(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.contiguous() : tensor;
}

/// Row-major views of the same places as `layout`, with dimensions of extent 1 in front.
Layout with_rank(const Layout& layout, size_t rank) {
  const size_t missing = rank - layout.sizes.size();
  Layout result = layout;
  result.sizes.insert(result.sizes.begin(), missing, 1);
  const int64_t span = layout.strides.empty() ? 1 : layout.strides.front() * layout.sizes.front();
  result.strides.insert(result.strides.begin(), missing, span);
  return result;
}

bool has_unit_stride(const Layout& layout) {
  const size_t rank = layout.sizes.size();
  return layout.strides[rank - 1] == 1 || layout.strides[rank - 2] == 1;
}

}  // namespace

BuiltStep build_conv(const StepRequest& request) {
  const auto& op = *request.node.as<ir::Conv>();
  const Layout& in = request.inputs[0];
  if (!is_channels_last(in) || request.sizes.size() != 4) return {};
  const Layout out = channels_last(request.sizes);
  const onednn::Window window{{}, op.stride, op.padding, op.padding, op.dilation};
  onednn::Kernel kernel =
      onednn::convolution(channels_last(in.sizes), out, dense_float(request.weights.weight),
                          dense_float(request.weights.bias), window, op.groups, request.tail);
  return kernel_step(std::move(kernel), request.tail, out);
}

BuiltStep build_linear(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  const size_t last = in.sizes.size() - 1;
  if (!is_dense(in) || memory_order(in).back() != last) return {};
  const int64_t features = in.sizes[last];
  onednn::Kernel kernel =
      onednn::linear(in.elements() / features, dense_float(request.weights.weight),
                     dense_float(request.weights.bias), request.tail);
  return kernel_step(std::move(kernel), request.tail, dense_like(in, request.sizes));
}

BuiltStep build_matmul(const StepRequest& request) {
  const size_t rank = request.sizes.size();
  if (rank < 2 || request.inputs[0].sizes.size() < 2 || request.inputs[1].sizes.size() < 2) {
    return {};
  }
  const Layout first = with_rank(request.inputs[0], rank);
  const Layout second = with_rank(request.inputs[1], rank);
  if (!has_unit_stride(first) || !has_unit_stride(second)) return {};
  const Layout out = row_major(request.sizes);
  onednn::Kernel kernel = onednn::matmul(first, second, out, request.tail);
  return kernel_step(std::move(kernel), request.tail, out, KernelStep::Factors::kTwo);
}

}  // namespace ptq::runtime
