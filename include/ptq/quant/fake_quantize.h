#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ptq/ir/op.h"
#include "ptq/quant/qparams.h"
#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// The equations' parameters of a per-tensor quantizer whose scale is known.
QParams qparams(const QuantizerTable& table, ir::QuantizerId id);

/// fake_quantize over `count` contiguous floats on the calling thread; `out` may be `in`.
void fake_quantize(const float* in, float* out, int64_t count, const QParams& params);

/// Activation quantizer over a whole float32 tensor, any dense layout; returns a new tensor.
at::Tensor fake_quantize_activation(const at::Tensor& x, const QuantizerTable& table,
                                    ir::QuantizerId id);

/// Weight fake-quantized per tensor or per channel.
at::Tensor fake_quantize_weight(const at::Tensor& weight, const QuantizerTable& table,
                                ir::QuantizerId id);

/// Integer codes of a weight, as float32.
at::Tensor quantize_weight(const at::Tensor& weight, const QuantizerTable& table,
                           ir::QuantizerId id);

/// Bias quantized at scale s_in * s_w (reference-behaviour 3.12). `input_scale` is a scalar tensor,
/// `weight_scale` scalar or [out].
at::Tensor fake_quantize_bias(const at::Tensor& bias, const at::Tensor& input_scale,
                              const at::Tensor& weight_scale, int bit_width);

}  // namespace ptq::quant
