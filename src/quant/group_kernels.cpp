#include <algorithm>
#include <limits>

#include "base/vector_loop.h"
#include "quant/float_order.h"
#include "quant/kernels.h"
#include "quant/statistics.h"

namespace ptq::quant {
namespace {

/// 2^floor(log2 absmax) is absmax without its mantissa. An infinity counts as the largest float, so
/// that it saturates; NaN makes its whole group NaN.
inline float group_scale(int32_t absmax_key, float divisor) {
  const int32_t largest = magnitude_key(std::numeric_limits<float>::max());
  const int32_t infinity = magnitude_key(std::numeric_limits<float>::infinity());
  const int32_t smallest = magnitude_key(kSmallestScale);
  if (absmax_key > infinity) return value_of_key(absmax_key);
  return value_of_key(std::clamp(absmax_key, smallest, largest) & 0x7F800000) / divisor;
}

template <class Params>
inline void quantize_group(const float* in, float* out, int64_t count, float divisor, Params p) {
  int32_t absmax = 0;
  for (int64_t i = 0; i < count; ++i) absmax = std::max(absmax, magnitude_key(in[i]));
  p.scale = group_scale(absmax, divisor);
  for (int64_t i = 0; i < count; ++i) out[i] = fake_quantize(in[i], p);
}

template <class Params>
inline void quantize_lines(const float* in, float* out, int64_t lines, int64_t extent,
                           const GroupShape& group, const Params& params) {
  for (int64_t line = 0; line < lines; ++line) {
    const int64_t end = (line + 1) * extent;
    for (int64_t begin = line * extent; begin < end; begin += group.size) {
      const int64_t count = std::min(group.size, end - begin);
      quantize_group(in + begin, out + begin, count, group.divisor, params);
    }
  }
}

/// Columns that are worked on together: 32 rows of them fit the fastest cache.
constexpr int64_t kTile = 128;

template <class Params>
inline void quantize_tile(const float* in, float* out, int64_t columns, int64_t tile,
                          const GroupShape& group, Params p) {
  int32_t absmax[kTile] = {};
  float scales[kTile];
  for (int64_t row = 0; row < group.size; ++row) {
    const float* values = in + row * columns;
    for (int64_t i = 0; i < tile; ++i) absmax[i] = std::max(absmax[i], magnitude_key(values[i]));
  }
  for (int64_t i = 0; i < tile; ++i) scales[i] = group_scale(absmax[i], group.divisor);
  for (int64_t row = 0; row < group.size; ++row) {
    const float* values = in + row * columns;
    float* results = out + row * columns;
    for (int64_t i = 0; i < tile; ++i) {
      p.scale = scales[i];
      results[i] = fake_quantize(values[i], p);
    }
  }
}

template <class Params>
inline void quantize_columns(const float* in, float* out, int64_t columns, const GroupShape& group,
                             const Params& params) {
  for (int64_t begin = 0; begin < columns; begin += kTile) {
    const int64_t tile = std::min(kTile, columns - begin);
    quantize_tile(in + begin, out + begin, columns, tile, group, params);
  }
}

constexpr VectorLoop lines_loop = [](const float* in, float* out, int64_t lines, int64_t extent,
                                     const GroupShape& group, const auto& params) {
  quantize_lines(in, out, lines, extent, group, params);
};

constexpr VectorLoop columns_loop = [](const float* in, float* out, int64_t columns,
                                       const GroupShape& group, const auto& params) {
  quantize_columns(in, out, columns, group, params);
};

/// Codes of groups are never truncated.
template <class Visit>
void visit_group_params(const ElementParams& params, const Visit& visit) {
  if (const auto* integers = std::get_if<QParams>(&params)) {
    visit(*integers);
  } else {
    visit(std::get<MinifloatParams>(params));
  }
}

}  // namespace

void fake_quantize_lines(const float* in, float* out, int64_t lines, int64_t extent,
                         const GroupShape& group, const ElementParams& params) {
  visit_group_params(params, [&](const auto& p) { lines_loop(in, out, lines, extent, group, p); });
}

void fake_quantize_columns(const float* in, float* out, int64_t columns, const GroupShape& group,
                           const ElementParams& params) {
  visit_group_params(params, [&](const auto& p) { columns_loop(in, out, columns, group, p); });
}

}  // namespace ptq::quant
