#include "ptq/quant/fake_quantize.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <limits>

#include "ptq/base/error.h"
#include "quant/element_params.h"
#include "quant/kernels.h"
#include "quant/partition.h"
#include "quant/scale_of_threshold.h"
#include "quant/vector_clones.h"

namespace ptq::quant {
namespace {

constexpr int64_t kParallelGrain = 1 << 15;

at::Tensor fake_quantize_with(const at::Tensor& x, const ElementParams& params) {
  const at::Tensor in = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  at::Tensor out = at::empty_like(in);
  const float* from = in.data_ptr<float>();
  float* to = out.data_ptr<float>();
  at::parallel_for(0, in.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    fake_quantize(from + begin, to + begin, end - begin, params);
  });
  return out;
}

/// An infinity counts as the largest float, so that it saturates; NaN makes everything NaN.
float finite_range(float range) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  return range > kLargest ? kLargest : range;
}

/// Of all of `x` (reference-behaviour 3.11).
ElementParams dynamic_params(const at::Tensor& x, const Quantizer& quantizer) {
  const at::Tensor in = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  const Range range = range_of(in.data_ptr<float>(), in.numel());
  const float scale = scale_of_threshold(finite_range(range.interval()), quantizer);
  const bool is_symmetric = quantizer.symmetry == Symmetry::kSymmetric;
  const float zero = is_symmetric ? 0 : zero_point_of(range.zero(), scale, *quantizer.integer());
  return element_params(quantizer, scale, zero);
}

/// Written straight into the result where its groups lie together (NHWC strides and axis 1).
at::Tensor fake_quantize_groups_of(const at::Tensor& x, const Quantizer& quantizer) {
  const Partition groups(x, quantizer);
  at::Tensor out = at::empty_like(x);
  const at::Tensor moved = out.movedim(positive_axis(x, quantizer), -1);
  const at::Tensor result = moved.is_contiguous() ? moved : at::empty_like(groups.values());
  const int64_t extent = moved.size(-1);
  const ElementParams params = element_params(quantizer, 1, 0);
  const auto divisor = static_cast<float>(threshold_divisor(quantizer));
  const float* from = groups.values().data_ptr<float>();
  float* to = result.data_ptr<float>();
  const int64_t grain = std::max<int64_t>(1, kParallelGrain / extent);
  at::parallel_for(0, x.numel() / extent, grain, [&](int64_t begin, int64_t end) {
    const GroupLines part{end - begin, extent, quantizer.group_size, divisor};
    fake_quantize_groups(from + begin * extent, to + begin * extent, part, params);
  });
  if (!result.is_same(moved)) moved.copy_(result);
  return out;
}

at::Tensor fake_quantize_dynamic(const at::Tensor& x, const Quantizer& quantizer) {
  check_quantizer(quantizer);
  if (x.numel() == 0) return x.clone();
  if (quantizer.granularity == Granularity::kPerTensor) {
    return fake_quantize_with(x, dynamic_params(x, quantizer));
  }
  if (quantizer.granularity != Granularity::kPerGroup ||
      quantizer.symmetry != Symmetry::kSymmetric) {
    throw InternalError(quantizer.layer +
                        ": dynamic activations are per tensor or in symmetric groups");
  }
  return fake_quantize_groups_of(x, quantizer);
}

}  // namespace

ElementParams element_params(const QuantizerTable& table, ir::QuantizerId id) {
  const Quantizer& quantizer = table.at(id);
  check_quantizer(quantizer);
  if (!quantizer.is_static_per_tensor()) {
    throw InternalError(quantizer.layer + ": its quantizer has more than one scale");
  }
  const at::Tensor& scale = table.scale_of(id).value;
  if (!scale.defined()) throw InternalError(quantizer.layer + ": scale is not known yet");
  const bool is_symmetric = quantizer.symmetry == Symmetry::kSymmetric;
  if (!is_symmetric && !quantizer.zero_point.defined()) {
    throw InternalError(quantizer.layer + ": zero point is not known yet");
  }
  const float zero_point = is_symmetric ? 0 : quantizer.zero_point.item<float>();
  return element_params(quantizer, scale.item<float>(), zero_point);
}

PTQ_VECTOR_CLONES
void fake_quantize(const float* in, float* out, int64_t count, const QParams& params) {
  const QParams p = params;
  for (int64_t i = 0; i < count; ++i) out[i] = fake_quantize(in[i], p);
}

PTQ_VECTOR_CLONES
void fake_quantize(const float* in, float* out, int64_t count, const MinifloatParams& params) {
  const MinifloatParams p = params;
  for (int64_t i = 0; i < count; ++i) out[i] = fake_quantize(in[i], p);
}

void fake_quantize(const float* in, float* out, int64_t count, const ElementParams& params) {
  std::visit([&](const auto& p) { fake_quantize(in, out, count, p); }, params);
}

at::Tensor fake_quantize_activation(const at::Tensor& x, const QuantizerTable& table,
                                    ir::QuantizerId id) {
  if (table.at(id).timing == Timing::kDynamic) return fake_quantize_dynamic(x, table.at(id));
  return fake_quantize_with(x, element_params(table, id));
}

}  // namespace ptq::quant
