#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

/// Functions of one float32 made of additions, products and divisions alone, in a given order: the
/// same bits on every processor, and loops over them become vectors.
namespace ptq::runtime {

/// e^x to 4 units in the last place: e^x = 2^n e^r with |r| <= ln 2 / 2, and a polynomial of degree
/// 6 for e^r. Below -87 and above 88 it is that of the bound; NaN stays NaN.
inline float exponential(float x) {
  constexpr float kLog2OfE = 1.44269504F;
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  const float above = x > -87.0F ? x : -87.0F;  // NaN too, which has no int32
  const float bounded = above > 88.0F ? 88.0F : above;
  const float n = std::nearbyint(bounded * kLog2OfE);
  const float r = (bounded - n * kLn2High) - n * kLn2Low;
  float polynomial = 1.0F / 720.0F;
  polynomial = polynomial * r + 1.0F / 120.0F;
  polynomial = polynomial * r + 1.0F / 24.0F;
  polynomial = polynomial * r + 1.0F / 6.0F;
  polynomial = polynomial * r + 0.5F;
  polynomial = polynomial * r + 1.0F;
  polynomial = polynomial * r + 1.0F;
  const int32_t exponent_bits = (static_cast<int32_t>(n) + 127) * (1 << 23);
  float power;
  std::memcpy(&power, &exponent_bits, sizeof(power));
  const float result = polynomial * power;
  return x == x ? result : x;
}

inline float logistic(float x) { return 1.0F / (1.0F + exponential(-x)); }

/// Abramowitz and Stegun 7.1.26, whose own error is 1.5e-7; below 1e-6 in float32.
inline float error_function(float x) {
  const float magnitude = std::fabs(x);
  const float t = 1.0F / (1.0F + 0.3275911F * magnitude);
  float polynomial = 1.061405429F;
  polynomial = polynomial * t - 1.453152027F;
  polynomial = polynomial * t + 1.421413741F;
  polynomial = polynomial * t - 0.284496736F;
  polynomial = polynomial * t + 0.254829592F;
  const float value = 1.0F - polynomial * t * exponential(-x * x);
  return x < 0 ? -value : value;
}

}  // namespace ptq::runtime
