#include "runtime/steps/row_functions.h"

#include <cmath>
#include <cstring>

#include "base/vector_loop.h"
#include "runtime/steps/float_functions.h"

namespace ptq::runtime {
namespace {

constexpr int64_t kLanes = 16;
/// One vector, or several where the processor's are shorter.
using Lanes [[gnu::vector_size(kLanes * sizeof(float))]] = float;

inline float first_of_sum(const Lanes& lanes) {
  float sums[kLanes];
  std::memcpy(sums, &lanes, sizeof(sums));
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t i = 0; i < width; ++i) sums[i] += sums[i + width];
  }
  return sums[0];
}

/// Calls visit(lanes) with sixteen elements at a time; what the last ones lack is `missing`.
template <class Visit>
inline void each_lanes(const float* x, int64_t count, float missing, const Visit& visit) {
  Lanes lanes;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    std::memcpy(&lanes, x + i, sizeof(lanes));
    visit(lanes);
  }
  if (i == count) return;
  float rest[kLanes];
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    rest[lane] = i + lane < count ? x[i + lane] : missing;
  }
  std::memcpy(&lanes, rest, sizeof(lanes));
  visit(lanes);
}

inline float sum(const float* x, int64_t count) {
  Lanes sums{};
  each_lanes(x, count, 0, [&](const Lanes& lanes) { sums += lanes; });
  return first_of_sum(sums);
}

/// Of (x - mean)^2.
inline float sum_of_squares(const float* x, int64_t count, float mean) {
  Lanes sums{};
  each_lanes(x, count, mean, [&](const Lanes& lanes) {
    const Lanes away = lanes - mean;
    sums += away * away;
  });
  return first_of_sum(sums);
}

inline float largest(const float* x, int64_t count) {
  Lanes largest = Lanes{} + x[0];
  each_lanes(x, count, x[0],
             [&](const Lanes& lanes) { largest = lanes > largest ? lanes : largest; });
  float result = largest[0];
  for (int64_t i = 1; i < kLanes; ++i) result = largest[i] > result ? largest[i] : result;
  return result;
}

constexpr VectorLoop softmax = [](const float* in, int64_t count, float* out) {
  const float top = largest(in, count);
  for (int64_t i = 0; i < count; ++i) {
    const float x = in[i] - top;
    const float power = exponential(x);
    out[i] = x < -87.0F ? 0.0F : power;
  }
  const float factor = 1.0F / sum(out, count);
  for (int64_t i = 0; i < count; ++i) out[i] *= factor;
};

constexpr VectorLoop normalize = [](const float* in, int64_t count, const float* weight,
                                    const float* bias, float eps, float* out) {
  const auto size = static_cast<float>(count);
  const float mean = sum(in, count) / size;
  const float factor = 1.0F / std::sqrt(sum_of_squares(in, count, mean) / size + eps);
  for (int64_t i = 0; i < count; ++i) out[i] = (in[i] - mean) * factor;
  if (weight != nullptr) {
    for (int64_t i = 0; i < count; ++i) out[i] *= weight[i];
  }
  if (bias != nullptr) {
    for (int64_t i = 0; i < count; ++i) out[i] += bias[i];
  }
};

}  // namespace

void softmax_row(const float* in, int64_t count, float* out) { softmax(in, count, out); }

void normalize_row(const float* in, int64_t count, const float* weight, const float* bias,
                   float eps, float* out) {
  normalize(in, count, weight, bias, eps, out);
}

}  // namespace ptq::runtime
