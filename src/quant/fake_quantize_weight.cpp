#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/round.h>

#include <algorithm>

#include "base/threads.h"
#include "ptq/base/error.h"
#include "quant/element_params.h"
#include "quant/fake_quantize.h"
#include "quant/kernels.h"
#include "quant/partition.h"

namespace ptq::quant {
namespace {

const at::Tensor& known_scale(const QuantizerTable& table, ir::QuantizerId id) {
  const at::Tensor& scale = table.scale_of(id).value;
  if (!scale.defined()) throw InternalError(table.at(id).layer + ": scale is not known yet");
  return scale;
}

std::vector<float> zero_points_by_row(const Partition& partition, const Quantizer& quantizer) {
  if (quantizer.symmetry == Symmetry::kSymmetric) {
    return std::vector<float>(static_cast<size_t>(partition.rows()), 0.0F);
  }
  if (!quantizer.zero_point.defined()) {
    throw InternalError(quantizer.layer + ": zero point is not known yet");
  }
  return partition.by_row(quantizer.zero_point);
}

/// Calls kernel(in, out, count, params) for all elements of each scale.
template <class Kernel>
at::Tensor apply_by_row(const at::Tensor& weight, const QuantizerTable& table, ir::QuantizerId id,
                        Kernel kernel) {
  const Quantizer& quantizer = table.at(id);
  check_quantizer(quantizer);
  const Partition partition(weight, quantizer);
  const std::vector<float> scales = partition.by_row(known_scale(table, id));
  const std::vector<float> zero_points = zero_points_by_row(partition, quantizer);
  at::Tensor out = at::empty_like(partition.values());
  const float* from = partition.data();
  float* to = out.data_ptr<float>();
  const int64_t grain = std::max<int64_t>(1, kParallelGrain / (partition.longest_row() + 1));
  at::parallel_for(0, partition.rows(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Partition::Row row = partition.row(i);
      const auto index = static_cast<size_t>(i);
      kernel(from + row.begin, to + row.begin, row.size,
             element_params(quantizer, scales[index], zero_points[index]));
    }
  });
  return partition.restore(out);
}

at::Tensor codes(const at::Tensor& x, const at::Tensor& scale, const IntegerFormat& format) {
  return at::round(x.div(scale)).clamp(format.quant_min(), format.quant_max());
}

}  // namespace

at::Tensor quantize_weight(const at::Tensor& weight, const QuantizerTable& table,
                           ir::QuantizerId id) {
  return apply_by_row(weight, table, id, [](auto... args) { quantize(args...); });
}

at::Tensor fake_quantize_weight(const at::Tensor& weight, const QuantizerTable& table,
                                ir::QuantizerId id) {
  return apply_by_row(weight, table, id, [](auto... args) { fake_quantize(args...); });
}

at::Tensor fake_quantize_bias(const at::Tensor& bias, const at::Tensor& input_scale,
                              const at::Tensor& weight_scale, int bit_width) {
  const at::Tensor scale = input_scale.mul(weight_scale);
  return codes(bias, scale, {bit_width, true, false}).mul(scale);
}

}  // namespace ptq::quant
