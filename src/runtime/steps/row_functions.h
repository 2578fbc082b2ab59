#pragma once

#include <cstdint>

/// Functions of a row of floats, with one order of sums: the same bits on every processor. A sum is
/// sixteen partial sums, of the elements i, i + 16, i + 32, ... each; then partial sum i gets i + 8
/// added, i + 4, i + 2, and i + 1.
namespace ptq::runtime {

/// out = e^(x - m) * (1 / sum of all e^(x - m)), m the largest x; e^x is 0 below -87.
void softmax_row(const float* in, int64_t count, float* out);

/// out = (x - mean) * (1 / sqrt(variance + eps)) * weight + bias, from left to right; the variance
/// is the mean of (x - mean)^2. `weight` and `bias` may be null.
void normalize_row(const float* in, int64_t count, const float* weight, const float* bias,
                   float eps, float* out);

}  // namespace ptq::runtime
