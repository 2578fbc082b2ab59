#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <variant>

#include "ptq/ir/op.h"
#include "ptq/quant/quantizer.h"
#include "quant/qparams.h"

namespace ptq::quant {

/// What the equations need of a quantizer with one scale.
using ElementParams = std::variant<QParams, MinifloatParams, TruncatingParams>;

/// Of a static per-tensor quantizer whose scale is known.
ElementParams element_params(const QuantizerTable& table, ir::QuantizerId id);

/// fake_quantize over `count` contiguous floats on the calling thread; `out` may be `in`.
void fake_quantize(const float* in, float* out, int64_t count, const QParams& params);
void fake_quantize(const float* in, float* out, int64_t count, const MinifloatParams& params);
void fake_quantize(const float* in, float* out, int64_t count, const TruncatingParams& params);
void fake_quantize(const float* in, float* out, int64_t count, const ElementParams& params);

/// Activation quantizer over a whole float32 tensor, any dense layout; returns a new tensor of the
/// same strides. A dynamic per-tensor quantizer takes its scale from all of `x`, which is therefore
/// one image (reference-contract 3.11); a static one per channel has a scale for each index of its
/// axis; one per group from each group along its axis, counted from
/// the end if negative (3.9).
at::Tensor fake_quantize_activation(const at::Tensor& x, const QuantizerTable& table,
                                    ir::QuantizerId id);

/// Weight fake-quantized per tensor, channel or group, in its own shape.
at::Tensor fake_quantize_weight(const at::Tensor& weight, const QuantizerTable& table,
                                ir::QuantizerId id);

/// Codes of a weight, as float32: integers, or for minifloats the numbers before scaling.
at::Tensor quantize_weight(const at::Tensor& weight, const QuantizerTable& table,
                           ir::QuantizerId id);

/// Bias quantized at scale s_in * s_w (reference-contract 3.12). `input_scale` is a scalar tensor,
/// `weight_scale` scalar or [out].
at::Tensor fake_quantize_bias(const at::Tensor& bias, const at::Tensor& input_scale,
                              const at::Tensor& weight_scale, int bit_width);

}  // namespace ptq::quant
