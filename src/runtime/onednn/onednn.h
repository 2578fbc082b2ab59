#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "runtime/layout.h"
#include "runtime/steps/tail.h"

/// oneDNN behind values of this project: the only files that include its header are onednn*.cpp.
namespace ptq::runtime::onednn {

/// A primitive for fixed shapes with its prepacked weights. It is made for as many threads as
/// OpenMP would use where it is made, and is shared by lanes; memory is given when it is bound.
class Kernel {
 public:
  struct State;
  explicit Kernel(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  int64_t scratch_bytes() const;
  /// How many operations of the tail given at creation the primitive carries, from the first.
  size_t tail_carried() const;
  /// Name of oneDNN's implementation.
  std::string implementation() const;

  /// `second` is the second factor of matmul, undefined elsewhere. Lanes have their own `scratch`.
  Bound bind(const at::Tensor& first, const at::Tensor& second, const at::Tensor& out,
             void* scratch) const;

 private:
  std::shared_ptr<const State> state_;
};

struct Window {
  Extents kernel, stride, padding, padding_end, dilation;
};

/// Two-dimensional convolution between channels-last values; `bias` may be undefined.
Kernel convolution(const Layout& in, const Layout& out, const at::Tensor& weight,
                   const at::Tensor& bias, const Window& window, int64_t groups, const Tail& tail);

/// [rows, in] times weight [out, in] transposed, plus bias (may be undefined).
Kernel linear(int64_t rows, const at::Tensor& weight, const at::Tensor& bias, const Tail& tail);

/// Product over the last two dimensions of equally many dimensions; extents of 1 broadcast. One of
/// the last two strides of each factor is 1.
Kernel matmul(const Layout& first, const Layout& second, const Layout& out, const Tail& tail);

/// Channels-last values.
Kernel max_pool(const Layout& in, const Layout& out, const Window& window);

}  // namespace ptq::runtime::onednn
