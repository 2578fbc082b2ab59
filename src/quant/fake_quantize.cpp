#include "quant/fake_quantize.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include "base/threads.h"
#include "base/vector_loop.h"
#include "ptq/base/error.h"
#include "quant/dynamic_activation.h"
#include "quant/element_params.h"

namespace ptq::quant {
namespace {

constexpr VectorLoop fake_quantize_loop = [](const float* in, float* out, int64_t count,
                                             const auto& params) {
  const auto p = params;
  for (int64_t i = 0; i < count; ++i) out[i] = fake_quantize(in[i], p);
};

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

void fake_quantize(const float* in, float* out, int64_t count, const QParams& params) {
  fake_quantize_loop(in, out, count, params);
}

void fake_quantize(const float* in, float* out, int64_t count, const MinifloatParams& params) {
  fake_quantize_loop(in, out, count, params);
}

void fake_quantize(const float* in, float* out, int64_t count, const TruncatingParams& params) {
  fake_quantize_loop(in, out, count, params);
}

void fake_quantize(const float* in, float* out, int64_t count, const ElementParams& params) {
  std::visit([&](const auto& p) { fake_quantize(in, out, count, p); }, params);
}

at::Tensor fake_quantize_activation(const at::Tensor& x, const QuantizerTable& table,
                                    ir::QuantizerId id) {
  const Quantizer& quantizer = table.at(id);
  // A channel of a value is treated as one of a weight.
  if (quantizer.granularity == Granularity::kPerChannel) return fake_quantize_weight(x, table, id);
  if (quantizer.timing == Timing::kStatic) return fake_quantize_with(x, element_params(table, id));
  check_dynamic(quantizer);
  if (x.numel() == 0) return x.clone();
  if (quantizer.granularity == Granularity::kPerGroup) return fake_quantize_groups(x, quantizer);
  return fake_quantize_with(x, dynamic_params(x, quantizer));
}

}  // namespace ptq::quant
