#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace ptq::runtime {

/// Extents and attributes of a convolution over two spatial dimensions.
struct ConvolutionShape {
  /// [images, channels, height, width]; weight [out, in / groups, height, width].
  std::vector<int64_t> in, out, weight;
  std::vector<int64_t> stride, padding, dilation;
  int64_t groups = 1;
};

/// A convolution whose weight changes from step to step, and its derivatives, between channels-last
/// float32 values of fixed extents. The primitives are oneDNN's, for one thread; lanes share them.
class TrainableConvolution {
 public:
  /// Throws dnnl::error for a shape that oneDNN does not know.
  explicit TrainableConvolution(const ConvolutionShape& shape);

  /// What everything computes with from now on; not while a lane runs.
  void set_weight(const at::Tensor& weight);

  /// Bytes that each of the three needs while it runs.
  int64_t scratch_bytes() const;
  /// Floats of the derivative by the weight, in the order that the primitive likes.
  int64_t gradient_elements() const;
  /// The derivative in the order of the weight, row-major.
  at::Tensor unpacked(const at::Tensor& gradient) const;

  using Run = std::function<void()>;
  /// y = convolution(x) + bias; `bias` has a number for each channel. All memory stays the
  /// caller's, and must outlive what is returned.
  Run forward(const float* x, const float* bias, float* y, void* scratch) const;
  Run by_input(const float* by_y, float* by_x, void* scratch) const;
  Run by_weight(const float* x, const float* by_y, float* by_weight, void* scratch) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ptq::runtime
