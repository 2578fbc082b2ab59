#include "quant/hqo_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/vector_loop.h"
#include "quant/float_order.h"
#include "quant/statistics.h"

namespace ptq::quant {
namespace {

constexpr float kScaleNorm = 0.7F;

/// sign(e) * max(|e| - |e|^(p - 1) / beta, 0), `power` being |e|^(p - 1).
inline float shrink(float error, float power, float inverse_beta) {
  const float size = std::abs(error) - inverse_beta * power;
  return std::copysign(size > 0 ? size : 0, error);
}

/// |e|^(p - 1) to 1e-5 of its value; it only moves e by its part of 1 / beta. Both polynomials fit
/// at Chebyshev's points: log2(1 + t) for 1 + t from sqrt(1/2) to sqrt(2), and 2^r for |r| <= 1/2.
/// What is as good as 0 gives a number that shrinks it to 0.
inline float scale_power(float error) {
  constexpr float kSmallest = 1e-30F;
  const float size = std::abs(error) < kSmallest ? kSmallest : std::abs(error);
  int32_t bits = 0;
  std::memcpy(&bits, &size, sizeof(bits));
  constexpr int32_t kRootHalf = 0x3F3504F3;
  const int32_t exponent = (bits - kRootHalf) >> 23;
  const float t = value_of_key(bits - exponent * (1 << 23)) - 1;
  float log2 = 0.243272778F;
  for (const float c : {-0.393689683F, 0.488225696F, -0.720214134F, 1.44251761F, -6.3080528e-06F}) {
    log2 = log2 * t + c;
  }
  const float power = (log2 + static_cast<float>(exponent)) * (kScaleNorm - 1);
  const float whole = std::nearbyint(power);
  const float r = power - whole;
  float exp2 = 0.00966636852F;
  for (const float c : {0.0559219758F, 0.24022349F, 0.693121045F, 1.0F}) exp2 = exp2 * r + c;
  return exp2 * value_of_key((static_cast<int32_t>(whole) + 127) << 23);
}

struct Ratios {
  double error;
  int32_t count;
};

/// Fills `keys` with (x - e) / q by order_key(), where neither is 0, and elsewhere with the largest
/// key. Masks instead of conditions: the compiler would branch around the division.
constexpr VectorLoop ratios_of = [](const float* weights, int64_t count, const QParams& params,
                                    float inverse_beta, int32_t* keys) {
  constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();
  const QParams p = params;
  double error = 0;
  int32_t ratios = 0;
#pragma omp simd reduction(+ : error, ratios)
  for (int64_t i = 0; i < count; ++i) {
    const float x = weights[i];
    const float code = quantize(x, p);
    const float e = x - dequantize(code, p);
    error += static_cast<double>(std::abs(e));
    const float target = x - shrink(e, scale_power(e), inverse_beta);
    const int32_t is_ratio = (code != 0 ? 1 : 0) & (target != 0 ? 1 : 0);
    ratios += is_ratio;
    keys[i] = (order_key(target / code) & -is_ratio) | (kLargest & (is_ratio - 1));
  }
  return Ratios{error, ratios};
};

/// The key that `rank` others precede, by halving the interval it lies in; no branch depends on
/// single keys. The search begins around `hint`.
constexpr VectorLoop ranked_key = [](const int32_t* keys, int64_t count, int32_t rank,
                                     int32_t hint) {
  // Whether the key is at most `limit`.
  const auto is_within = [=](int64_t limit) {
    const auto largest = static_cast<int32_t>(limit);
    int32_t within = 0;
#pragma omp simd reduction(+ : within)
    for (int64_t i = 0; i < count; ++i) within += keys[i] <= largest ? 1 : 0;
    return within > rank;
  };
  int64_t low = std::numeric_limits<int32_t>::min();
  int64_t high = std::numeric_limits<int32_t>::max();
  const bool is_below = is_within(hint);
  (is_below ? high : low) = is_below ? int64_t{hint} : int64_t{hint} + 1;
  for (int64_t step = 64; high - low > step; step *= 8) {
    const int64_t limit = is_below ? high - step : low + step;
    const bool within = is_within(limit);
    (within ? high : low) = within ? limit : limit + 1;
    if (within != is_below) break;
  }
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const bool within = is_within(middle);
    (within ? high : low) = within ? middle : middle + 1;
  }
  return static_cast<int32_t>(low);
};

constexpr VectorLoop zero_round = [](const float* weights, int64_t count, const QParams& params,
                                     float inverse_beta) {
  const QParams p = params;
  double error = 0;
  double sum = 0;
#pragma omp simd reduction(+ : error, sum)
  for (int64_t i = 0; i < count; ++i) {
    const float x = weights[i];
    const float y = fake_quantize(x, p);
    const float e = x - y;
    error += static_cast<double>(std::abs(e));
    const float target = x - shrink(e, 1 / std::sqrt(std::abs(e)), inverse_beta);
    sum += static_cast<double>(target - (y / p.scale + p.zero_point) * p.scale);
  }
  return HqoRound{error, static_cast<float>(sum / static_cast<double>(count))};
};

}  // namespace

HqoRound better_scale(const float* weights, int64_t count, const QParams& params,
                      float inverse_beta, int32_t* scratch) {
  const Ratios ratios = ratios_of(weights, count, params, inverse_beta, scratch);
  if (ratios.count == 0) return {ratios.error, std::numeric_limits<float>::quiet_NaN()};
  // The lower of two middles, which moves little from round to round.
  const int32_t middle = (ratios.count - 1) / 2;
  const float ratio = value_of_key(ranked_key(scratch, count, middle, order_key(params.scale)));
  return {ratios.error, std::copysign(std::max(std::abs(ratio), kSmallestScale), ratio)};
}

HqoRound better_zero(const float* weights, int64_t count, const QParams& params,
                     float inverse_beta) {
  return zero_round(weights, count, params, inverse_beta);
}

}  // namespace ptq::quant
