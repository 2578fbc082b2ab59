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

bool all_are(const Extents& extents, int64_t value) {
  return std::all_of(extents.begin(), extents.end(), [&](int64_t e) { return e == value; });
}

BuiltStep pool_step(const StepRequest& request, onednn::Pooling pooling, onednn::Window window) {
  const Layout in = channels_last(request.inputs[0].sizes);
  const Layout out = channels_last(request.sizes);
  window.padding_end = padding_end(window, in.sizes, out.sizes);
  return kernel_step(onednn::pool(pooling, in, out, window), request.tail, out);
}

BuiltStep max_pool(const StepRequest& request, const ir::MaxPool& op) {
  if (!all_are(op.dilation, 1)) return {};
  const Extents stride = op.stride.empty() ? op.kernel : op.stride;
  return pool_step(request, onednn::Pooling::kMax, {op.kernel, stride, op.padding, {}, {}});
}

BuiltStep average_pool(const StepRequest& request, const ir::AvgPool& op) {
  if (op.divisor_override) return {};
  const Extents stride = op.stride.empty() ? op.kernel : op.stride;
  const onednn::Window window{op.kernel, stride, op.padding, {}, {}};
  // LibTorch and oneDNN divide windows that reach past the padding by different numbers.
  if (padding_end(window, request.inputs[0].sizes, request.sizes) != op.padding) return {};
  const bool counted = op.count_include_pad && !all_are(op.padding, 0);
  return pool_step(
      request,
      counted ? onednn::Pooling::kAverageWithPadding : onednn::Pooling::kAverageWithoutPadding,
      window);
}

/// Mean over height and width of channels-last values: each channel is summed in the order of
/// memory, so that channels are the vector.
class SpatialMean : public Step {
 public:
  SpatialMean(int64_t images, int64_t pixels, int64_t channels)
      : images_(images), pixels_(pixels), channels_(channels) {}

  Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
             void* /*scratch*/) const override {
    const float* in = inputs.at(0).data_ptr<float>();
    float* means = out.data_ptr<float>();
    return [in, means, step = *this] {
      for (int64_t image = 0; image < step.images_; ++image) {
        step.average(in + image * step.pixels_ * step.channels_, means + image * step.channels_);
      }
    };
  }

 private:
  void average(const float* in, float* means) const {
    std::fill_n(means, channels_, 0.0F);
    for (int64_t pixel = 0; pixel < pixels_; ++pixel, in += channels_) {
      for (int64_t channel = 0; channel < channels_; ++channel) means[channel] += in[channel];
    }
    const auto count = static_cast<float>(pixels_);
    for (int64_t channel = 0; channel < channels_; ++channel) means[channel] /= count;
  }

  int64_t images_, pixels_, channels_;
};

}  // namespace

BuiltStep build_pool(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  if (!is_channels_last(in)) return {};
  if (const auto* op = request.node.as<ir::MaxPool>()) return max_pool(request, *op);
  return average_pool(request, *request.node.as<ir::AvgPool>());
}

BuiltStep build_spatial_mean(const StepRequest& request) {
  const Layout& in = request.inputs[0];
  if (!is_channels_last(in)) return {};
  if (const auto* op = request.node.as<ir::Mean>()) {
    Extents dims = op->dims;
    for (int64_t& dim : dims) dim = (dim + 4) % 4;
    std::sort(dims.begin(), dims.end());
    if (dims != Extents{2, 3}) return {};
  } else if (!all_are(request.node.as<ir::AdaptiveAvgPool>()->output_size, 1)) {
    return {};
  }
  auto step = std::make_unique<SpatialMean>(in.sizes[0], in.sizes[2] * in.sizes[3], in.sizes[1]);
  const bool four = request.sizes.size() == 4;
  return tailed(std::move(step), request.tail,
                four ? channels_last(request.sizes) : row_major(request.sizes));
}

}  // namespace ptq::runtime
