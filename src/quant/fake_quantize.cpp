#include "ptq/quant/fake_quantize.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/round.h>

#include <cmath>

#include "ptq/base/error.h"

namespace ptq::quant {
namespace {

constexpr int64_t kParallelGrain = 1 << 15;

const at::Tensor& known_scale(const QuantizerTable& table, ir::QuantizerId id) {
  const at::Tensor& scale = table.scale_of(id).value;
  if (!scale.defined()) throw InternalError(table.at(id).layer + ": scale is not known yet");
  return scale;
}

/// Scale with the shape that broadcasts over `weight`: [] or [1, ..., C, ..., 1].
at::Tensor broadcast_scale(const at::Tensor& scale, const at::Tensor& weight, int64_t axis) {
  if (scale.dim() == 0) return scale;
  std::vector<int64_t> shape(static_cast<size_t>(weight.dim()), 1);
  shape[static_cast<size_t>(axis)] = scale.numel();
  return scale.view(shape);
}

at::Tensor codes(const at::Tensor& x, const at::Tensor& scale, const IntegerFormat& format) {
  return at::round(x.div(scale)).clamp(format.quant_min(), format.quant_max());
}

}  // namespace

QParams qparams(const QuantizerTable& table, ir::QuantizerId id) {
  const at::Tensor& scale = known_scale(table, id);
  const IntegerFormat& format = table.at(id).format;
  return {scale.item<float>(), 0.0F, static_cast<float>(format.quant_min()),
          static_cast<float>(format.quant_max())};
}

#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void fake_quantize(const float* in, float* out, int64_t count, const QParams& params) {
  const QParams p = params;
  for (int64_t i = 0; i < count; ++i) out[i] = fake_quantize(in[i], p);
}

at::Tensor fake_quantize_activation(const at::Tensor& x, const QuantizerTable& table,
                                    ir::QuantizerId id) {
  const QParams params = qparams(table, id);
  const at::Tensor in = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  at::Tensor out = at::empty_like(in);
  const float* from = in.data_ptr<float>();
  float* to = out.data_ptr<float>();
  at::parallel_for(0, in.numel(), kParallelGrain, [&](int64_t begin, int64_t end) {
    fake_quantize(from + begin, to + begin, end - begin, params);
  });
  return out;
}

at::Tensor quantize_weight(const at::Tensor& weight, const QuantizerTable& table,
                           ir::QuantizerId id) {
  const Quantizer& quantizer = table.at(id);
  return codes(weight, broadcast_scale(known_scale(table, id), weight, quantizer.axis),
               quantizer.format);
}

at::Tensor fake_quantize_weight(const at::Tensor& weight, const QuantizerTable& table,
                                ir::QuantizerId id) {
  return quantize_weight(weight, table, id)
      .mul(broadcast_scale(known_scale(table, id), weight, table.at(id).axis));
}

at::Tensor fake_quantize_bias(const at::Tensor& bias, const at::Tensor& input_scale,
                              const at::Tensor& weight_scale, int bit_width) {
  const at::Tensor scale = input_scale.mul(weight_scale);
  return codes(bias, scale, {bit_width, true, false}).mul(scale);
}

}  // namespace ptq::quant
