#pragma once

#include <cstdint>

#include "quant/fake_quantize.h"

/// Loops over floats on the calling thread, beside fake_quantize of quant/fake_quantize.h.
namespace ptq::quant {

struct Range {
  float low = 0;
  float high = 0;

  float absmax() const;
  /// min(low, 0): what an asymmetric quantizer shifts by.
  float zero() const;
  /// |high - min(low, 0)|.
  float interval() const;
};

/// Smallest and largest of `count` > 0 values; both NaN if one of them is.
Range range_of(const float* values, int64_t count);
Range range_of(const Range& a, const Range& b);

/// Codes of `count` values; `out` may be `in`.
void quantize(const float* in, float* out, int64_t count, const ElementParams& params);

/// Sum over (fake_quantize(x) - x)^2, squares in float32, their sum in double: so far from a
/// rounding of float32 that it hardly depends on the order of values.
double squared_error(const float* in, int64_t count, const ElementParams& params);

/// How many elements share a scale, and the power of two that their absmax is divided by.
struct GroupShape {
  int64_t size = 0;
  float divisor = 1;
};

/// fake_quantize with the scale of each group's own absmax; that in `params` does not count. Along
/// lines of `extent` values each, the last group of a line perhaps shorter:
void fake_quantize_lines(const float* in, float* out, int64_t lines, int64_t extent,
                         const GroupShape& group, const ElementParams& params);
/// One group down each of `columns` columns, in group.size rows that lie together:
void fake_quantize_columns(const float* in, float* out, int64_t columns, const GroupShape& group,
                           const ElementParams& params);

}  // namespace ptq::quant
