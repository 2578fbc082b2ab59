#include "quant/dynamic_activation.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <limits>

#include "base/threads.h"
#include "ptq/base/error.h"
#include "quant/element_params.h"
#include "quant/kernels.h"
#include "quant/partition.h"
#include "quant/scale_of_threshold.h"

namespace ptq::quant {
namespace {

/// An infinity counts as the largest float, so that it saturates; NaN makes everything NaN.
float finite_range(float range) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  return range > kLargest ? kLargest : range;
}

GroupShape group_of(const Quantizer& quantizer) {
  return {quantizer.group_size, static_cast<float>(threshold_divisor(quantizer))};
}

/// Groups along the last axis of row-major tensors.
void quantize_last_axis(const at::Tensor& in, const at::Tensor& out, const Quantizer& quantizer) {
  const ElementParams params = element_params(quantizer, 1, 0);
  const GroupShape group = group_of(quantizer);
  const int64_t extent = in.size(-1);
  const float* from = in.data_ptr<float>();
  float* to = out.data_ptr<float>();
  const int64_t grain = std::max<int64_t>(1, kParallelGrain / extent);
  at::parallel_for(0, in.numel() / extent, grain, [&](int64_t begin, int64_t end) {
    const int64_t offset = begin * extent;
    fake_quantize_lines(from + offset, to + offset, end - begin, extent, group, params);
  });
}

/// Groups along another axis of row-major tensors: blocks of rows, the last of an axis shorter.
void quantize_outer_axis(const at::Tensor& in, const at::Tensor& out, int64_t axis,
                         const Quantizer& quantizer) {
  const ElementParams params = element_params(quantizer, 1, 0);
  const GroupShape whole = group_of(quantizer);
  const int64_t extent = in.size(axis);
  const int64_t columns = c10::multiply_integers(in.sizes().slice(static_cast<size_t>(axis) + 1));
  const int64_t groups = (extent + whole.size - 1) / whole.size;
  const float* from = in.data_ptr<float>();
  float* to = out.data_ptr<float>();
  const int64_t grain = std::max<int64_t>(1, kParallelGrain / (whole.size * columns));
  at::parallel_for(
      0, in.numel() / (extent * columns) * groups, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t first_row = i % groups * whole.size;
          const GroupShape group{std::min(whole.size, extent - first_row), whole.divisor};
          const int64_t offset = (i / groups * extent + first_row) * columns;
          fake_quantize_columns(from + offset, to + offset, columns, group, params);
        }
      });
}

}  // namespace

void check_dynamic(const Quantizer& quantizer) {
  check_quantizer(quantizer);
  const bool is_symmetric = quantizer.symmetry == Symmetry::kSymmetric;
  if (quantizer.granularity == Granularity::kPerTensor ||
      (quantizer.granularity == Granularity::kPerGroup && is_symmetric)) {
    return;
  }
  throw InternalError(quantizer.layer +
                      ": dynamic activations are per tensor or in symmetric groups");
}

ElementParams dynamic_params(const at::Tensor& x, const Quantizer& quantizer) {
  const at::Tensor in = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  const Range range = range_of(in.data_ptr<float>(), in.numel());
  const float scale = scale_of_threshold(finite_range(range.interval()), quantizer);
  const bool is_symmetric = quantizer.symmetry == Symmetry::kSymmetric;
  const float zero = is_symmetric ? 0 : zero_point_of(range.zero(), scale, *quantizer.integer());
  return element_params(quantizer, scale, zero);
}

at::Tensor fake_quantize_groups(const at::Tensor& x, const Quantizer& quantizer) {
  const int64_t axis = positive_axis(x, quantizer);
  const at::Tensor in = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  at::Tensor out = at::empty_like(in);
  const at::Tensor moved = in.movedim(axis, -1);
  if (moved.is_contiguous()) {  // for one, axis 1 with NHWC strides
    quantize_last_axis(moved, out.movedim(axis, -1), quantizer);
  } else if (in.is_contiguous()) {
    quantize_outer_axis(in, out, axis, quantizer);
  } else {
    out.copy_(fake_quantize_groups(in.contiguous(), quantizer));
  }
  return out;
}

}  // namespace ptq::quant
