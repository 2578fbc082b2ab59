#pragma once

#include "quant/fake_quantize.h"

/// Activation quantizers that take their scale from the values themselves.
namespace ptq::quant {

/// Throws InternalError unless `quantizer` is per tensor or in symmetric groups.
void check_dynamic(const Quantizer& quantizer);

/// Scale and zero point from the range of all of `x` (reference-contract 3.11).
ElementParams dynamic_params(const at::Tensor& x, const Quantizer& quantizer);

/// Every group along the axis with a scale of its own, 2^floor(log2 absmax) / T, in the strides of
/// `x` (reference-contract 3.9).
at::Tensor fake_quantize_groups(const at::Tensor& x, const Quantizer& quantizer);

}  // namespace ptq::quant
