#include <algorithm>
#include <limits>

#include "ptq/quant/statistics.h"
#include "quant/float_order.h"
#include "quant/kernels.h"
#include "quant/vector_clones.h"

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
inline void quantize_lines(const float* in, float* out, const GroupLines& groups,
                           const Params& params) {
  for (int64_t line = 0; line < groups.lines; ++line) {
    const int64_t end = (line + 1) * groups.extent;
    for (int64_t begin = line * groups.extent; begin < end; begin += groups.group_size) {
      const int64_t count = std::min(groups.group_size, end - begin);
      quantize_group(in + begin, out + begin, count, groups.divisor, params);
    }
  }
}

PTQ_VECTOR_CLONES
void quantize_groups(const float* in, float* out, const GroupLines& groups, const QParams& params) {
  quantize_lines(in, out, groups, params);
}

PTQ_VECTOR_CLONES
void quantize_groups(const float* in, float* out, const GroupLines& groups,
                     const MinifloatParams& params) {
  quantize_lines(in, out, groups, params);
}

}  // namespace

void fake_quantize_groups(const float* in, float* out, const GroupLines& groups,
                          const ElementParams& params) {
  std::visit([&](const auto& p) { quantize_groups(in, out, groups, p); }, params);
}

}  // namespace ptq::quant
