#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

/// THE equations of integer quantization (reference-behaviour 3.1), in float32:
///
///   q     = clamp(round_half_even(x / s + z), quant_min, quant_max)
///   x_hat = (q - z) * s
///
/// Division is a division, and z is added before rounding. Everything that quantizes calls these or
/// is tested against them. NaN passes through.
namespace ptq::quant {

/// 2^exponent for -126 <= exponent <= 127.
inline float power_of_two(int exponent) {
  const uint32_t bits = static_cast<uint32_t>(exponent + 127) << 23;
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

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

/// Minifloats (reference-behaviour 3.10): v = x / s is rounded, half to even, to a multiple of
///
///   g = 2^max(floor(log2 |v|) - M, 1 - bias - M)
///
/// and saturates at the largest number F; x_hat = clamp(g * round(v / g), -F, F) * s.
struct MinifloatParams {
  float scale = 1;
  int mantissa_bit_width = 3;
  /// 1 - bias - M.
  int smallest_exponent = -9;
  float largest = 448;
};

/// floor(log2 |v|) is read from the bits of v, so that it is exact; a subnormal float32 counts as
/// the smallest normal one. g is a power of two, so dividing by it is exact.
inline float fake_quantize(float x, const MinifloatParams& p) {
  const float v = x / p.scale;
  uint32_t bits = 0;
  std::memcpy(&bits, &v, sizeof(bits));
  const int exponent = std::max(static_cast<int>((bits >> 23) & 0xFFU) - 127, -126);
  const int step = std::max(exponent - p.mantissa_bit_width, p.smallest_exponent);
  const float inverse = power_of_two(-step);
  const float rounded = std::nearbyint(v * inverse) * power_of_two(step);
  const float below = rounded > p.largest ? p.largest : rounded;
  return (below < -p.largest ? -p.largest : below) * p.scale;
}

}  // namespace ptq::quant
