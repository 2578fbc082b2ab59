#pragma once

#include <ATen/core/Tensor.h>

/// Signal-to-quantization-noise ratios (SQNR) in dB: 10 log10(sum x^2 / sum (x - q)^2).
namespace ptq::eval {

/// Infinite without noise, minus infinity where noise meets no signal.
double decibels(double signal, double noise);

/// What an image whose logits do not differ at all counts in a mean: just above what float32 can
/// express.
inline constexpr double kNoNoise = 150;

/// Mean over the rows of two [N, classes] float32 tensors of each row's SQNR, at most kNoNoise
/// each. 0 for no rows; NaN where a row is not finite. Throws InternalError if the sizes differ.
double mean_sqnr(const at::Tensor& exact, const at::Tensor& quantized);

}  // namespace ptq::eval
