#pragma once

#include <algorithm>
#include <cmath>

/// THE equations of integer quantization (reference-behaviour 3.1), in float32:
///
///   q     = clamp(round_half_even(x / s + z), quant_min, quant_max)
///   x_hat = (q - z) * s
///
/// Division is a division, and z is added before rounding. Everything that quantizes calls these or
/// is tested against them. NaN passes through.
namespace ptq::quant {

struct QParams {
  float scale = 1;
  float zero_point = 0;
  float quant_min = -128;
  float quant_max = 127;
};

/// std::nearbyint rounds half to even in the default rounding mode.
inline float quantize(float x, const QParams& p) {
  const float code = std::nearbyint(x / p.scale + p.zero_point);
  const float below_max = code > p.quant_max ? p.quant_max : code;
  return below_max < p.quant_min ? p.quant_min : below_max;
}

inline float dequantize(float code, const QParams& p) { return (code - p.zero_point) * p.scale; }

inline float fake_quantize(float x, const QParams& p) { return dequantize(quantize(x, p), p); }

}  // namespace ptq::quant
