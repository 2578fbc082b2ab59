#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

/// Rounding functions of one weight and the regulariser (AdaRound equations 22 to 24), with their
/// derivatives, free of branches so that loops over them vectorise. The standard library's exp and
/// log do not.
namespace ptq::passes {

/// e^x to 2e-7 of its value; x is clamped to where float32 has normal numbers.
inline float exp_of(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  const float above = x < -87.0F ? -87.0F : x;
  const float inside = above > 87.0F ? 87.0F : above;
  const float power = std::nearbyint(inside * kLog2E);
  const float r = inside - power * kLn2High - power * kLn2Low;
  float series = 1.0F / 5040;
  series = series * r + 1.0F / 720;
  series = series * r + 1.0F / 120;
  series = series * r + 1.0F / 24;
  series = series * r + 1.0F / 6;
  series = series * r + 0.5F;
  series = series * r + 1.0F;
  series = series * r + 1.0F;
  const int32_t bits = (static_cast<int32_t>(power) + 127) << 23;
  float scale = 0;
  std::memcpy(&scale, &bits, sizeof(scale));
  return series * scale;
}

/// ln x for normal x > 0, to 3e-7.
inline float log_of(float x) {
  constexpr float kLn2 = 0.693147181F;
  int32_t bits = 0;
  std::memcpy(&bits, &x, sizeof(bits));
  // Counted from sqrt(1/2), so that the mantissa lies around 1.
  constexpr int32_t kRootHalf = 0x3F3504F3;
  const int32_t exponent = (bits - kRootHalf) >> 23;
  const int32_t mantissa_bits = bits - exponent * (1 << 23);
  float mantissa = 0;
  std::memcpy(&mantissa, &mantissa_bits, sizeof(mantissa));
  const float t = (mantissa - 1) / (mantissa + 1);
  const float square = t * t;
  float series = 2.0F / 9;
  series = series * square + 2.0F / 7;
  series = series * square + 2.0F / 5;
  series = series * square + 2.0F / 3;
  series = series * square + 2.0F;
  return static_cast<float>(exponent) * kLn2 + t * series;
}

/// A value and its derivative.
struct Sloped {
  float value;
  float slope;
};

inline Sloped sigmoid_round(float v) {
  const float s = 1 / (1 + exp_of(-v));
  return {s, s * (1 - s)};
}

/// clip(1.2 sigmoid(v) - 0.1, 0, 1).
inline Sloped hard_sigmoid_round(float v) {
  const Sloped s = sigmoid_round(v);
  const float stretched = 1.2F * s.value - 0.1F;
  const float above = stretched < 0 ? 0 : stretched;
  const float inside = above > 1 ? 1 : above;
  return {inside, inside == stretched ? 1.2F * s.slope : 0};
}

/// What linear rounding adds before it rounds to nearest. The derivative passes the clip.
inline Sloped linear_round(float v) {
  const float above = v < -0.5F ? -0.5F : v;
  return {above > 0.5F ? 0.5F : above, 1};
}

/// v with hard_sigmoid_round(v) = fraction, and with sigmoid_round(v) = fraction; 0 <= fraction
/// < 1.
inline float hard_sigmoid_start(float fraction) { return -std::log(1.2F / (fraction + 0.1F) - 1); }
inline float sigmoid_start(float fraction) {
  constexpr float kSmallest = 1e-4F;
  const float above = fraction < kSmallest ? kSmallest : fraction;
  const float inside = above > 1 - kSmallest ? 1 - kSmallest : above;
  return -std::log(1 / inside - 1);
}

/// 1 - |2h - 1|^beta, which is 0 for h of 0 and 1, and its derivative by h.
inline Sloped indecision(float h, float beta) {
  constexpr float kSmallest = 1e-30F;
  const float centred = 2 * h - 1;
  const float distance = centred < 0 ? -centred : centred;
  const float power = exp_of((beta - 1) * log_of(distance < kSmallest ? kSmallest : distance));
  return {1 - power * distance, centred < 0 ? 2 * beta * power : -2 * beta * power};
}

}  // namespace ptq::passes
