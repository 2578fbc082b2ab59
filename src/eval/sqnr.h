#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

/// Signal-to-quantization-noise ratios (SQNR) in dB: 10 log10(sum x^2 / sum (x - q)^2).
namespace ptq::eval {

/// Infinite without noise, minus infinity where noise meets no signal.
double decibels(double signal, double noise);

/// What an image whose logits do not differ at all counts in a mean: just above what float32 can
/// express.
inline constexpr double kNoNoise = 150;

/// By row of two [N, classes] float32 tensors: its SQNR, at most kNoNoise; NaN where a row is not
/// finite. Throws InternalError if the sizes differ.
std::vector<double> row_sqnrs(const at::Tensor& exact, const at::Tensor& quantized);

/// The mean of row_sqnrs; 0 for no rows.
double mean_sqnr(const at::Tensor& exact, const at::Tensor& quantized);

}  // namespace ptq::eval
