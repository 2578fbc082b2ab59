#include <algorithm>

#include "runtime/steps/kernel_step.h"

namespace ptq::runtime {
namespace {

/// Padding at the end that gives `out` windows; at least `padding`.
Extents padding_end(const onednn::Window& window, const Extents& in, const Extents& out) {
  Extents result = window.padding;
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t reach = (out[i + 2] - 1) * window.stride[i] + window.kernel[i];
    result[i] = std::max(result[i], reach - in[i + 2] - window.padding[i]);
  }
  return result;
}

}  // namespace

BuiltStep build_max_pool(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  const auto& op = *request.node.as<ir::MaxPool>();
  const bool holes = std::any_of(op.dilation.begin(), op.dilation.end(),
                                 [](int64_t dilation) { return dilation != 1; });
  if (!is_channels_last(in) || holes) return {};
  const Layout out = channels_last(request.sizes);
  onednn::Window window{op.kernel, op.stride.empty() ? op.kernel : op.stride, op.padding, {}, {}};
  window.padding_end = padding_end(window, in.sizes, out.sizes);
  return kernel_step(onednn::max_pool(in, out, window), request.tail, out);
}

}  // namespace ptq::runtime
