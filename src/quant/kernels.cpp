#include "quant/kernels.h"

#include <algorithm>
#include <cmath>

#include "base/vector_loop.h"
#include "quant/float_order.h"
#include "quant/scale_of_threshold.h"
#include "quant/statistics.h"

namespace ptq::quant {
namespace {

struct KeyRange {
  int32_t low;
  int32_t high;
};

constexpr VectorLoop key_range = [](const float* values, int64_t count) {
  int32_t low = order_key(values[0]);
  int32_t high = low;
  for (int64_t i = 0; i < count; ++i) {
    low = std::min(low, order_key(values[i]));
    high = std::max(high, order_key(values[i]));
  }
  return KeyRange{low, high};
};

constexpr VectorLoop quantize_loop = [](const float* in, float* out, int64_t count,
                                        const auto& params) {
  const auto p = params;
  for (int64_t i = 0; i < count; ++i) out[i] = quantize(in[i], p);
};

constexpr VectorLoop squared_error_loop = [](const float* in, int64_t count, const auto& params) {
  const auto p = params;
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) {
    const float error = fake_quantize(in[i], p) - in[i];
    sum += static_cast<double>(error * error);
  }
  return sum;
};

}  // namespace

float Range::absmax() const { return std::max(std::abs(low), std::abs(high)); }
float Range::zero() const { return low > 0 ? 0 : low; }
float Range::interval() const { return std::abs(high - zero()); }

Range range_of(const float* values, int64_t count) {
  const KeyRange keys = key_range(values, count);
  const Range range{value_of_key(keys.low), value_of_key(keys.high)};
  return range_of(range, range);
}

Range range_of(const Range& a, const Range& b) {
  for (const float end : {a.low, a.high, b.low, b.high}) {
    if (std::isnan(end)) return {end, end};
  }
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

void quantize(const float* in, float* out, int64_t count, const ElementParams& params) {
  std::visit([&](const auto& p) { quantize_loop(in, out, count, p); }, params);
}

double squared_error(const float* in, int64_t count, const ElementParams& params) {
  return std::visit([&](const auto& p) { return squared_error_loop(in, count, p); }, params);
}

}  // namespace ptq::quant
