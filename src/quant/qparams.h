#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

/// THE equations of integer quantization (reference-contract 3.1), in float32:
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

/// Minifloats (reference-contract 3.10): v = x / s is rounded, half to even, to a multiple of
///
///   g = 2^max(floor(log2 |v|) - M, 1 - bias - M)
///
/// and saturates at the largest number F: q = clamp(g * round(v / g), -F, F), x_hat = q * s.
struct MinifloatParams {
  float scale = 1;
  int mantissa_bit_width = 3;
  /// 1 - bias - M.
  int smallest_exponent = -9;
  float largest = 448;
};

/// The number before scaling. Clamping first changes nothing, F being a multiple of its own g, and
/// keeps g small. Adding 1.5 * 2^23 * g leaves no room for bits below g, so that the addition
/// itself rounds, half to even; exact up to 21 bits of mantissa. floor(log2 |v|) comes from the
/// bits of v.
inline float quantize(float x, const MinifloatParams& p) {
  const float v = x / p.scale;
  const float below = v > p.largest ? p.largest : v;
  const float clamped = below < -p.largest ? -p.largest : below;
  uint32_t bits = 0;
  std::memcpy(&bits, &clamped, sizeof(bits));
  const int smallest_normal = p.smallest_exponent + p.mantissa_bit_width;
  const uint32_t exponent =
      std::max(bits & 0x7F800000U, static_cast<uint32_t>(smallest_normal + 127) << 23);
  const uint32_t above = static_cast<uint32_t>(23 - p.mantissa_bit_width) << 23 | 1U << 22;
  const uint32_t shifter_bits = exponent + above;
  float shifter = 0;
  std::memcpy(&shifter, &shifter_bits, sizeof(shifter));
  return (clamped + shifter) - shifter;
}

inline float fake_quantize(float x, const MinifloatParams& p) { return quantize(x, p) * p.scale; }

/// Two roundings, first to codes of a finer scale, then without their lowest bits (quantizer.h,
/// Truncation).
struct TruncatingParams {
  float fine_scale = 1;
  /// 2^dropped_bits.
  float step = 1;
  float quant_min = 0;
  float quant_max = 255;
};

inline float quantize(float x, const TruncatingParams& p) {
  const float code = std::nearbyint(std::nearbyint(x / p.fine_scale) / p.step);
  const float below_max = code > p.quant_max ? p.quant_max : code;
  return below_max < p.quant_min ? p.quant_min : below_max;
}

inline float fake_quantize(float x, const TruncatingParams& p) {
  return quantize(x, p) * (p.fine_scale * p.step);
}

}  // namespace ptq::quant
