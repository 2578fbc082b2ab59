#pragma once

#include <cstdint>

#include "ptq/quant/fake_quantize.h"

/// Loops over floats on the calling thread, beside fake_quantize of ptq/quant/fake_quantize.h.
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
/// Sum over |fake_quantize(x) - x|.
double absolute_error(const float* in, int64_t count, const QParams& params);

/// The groups of a tensor whose last dimension they lie along: `lines` times `extent` values, the
/// last group of a line perhaps shorter. `divisor` is a power of two.
struct GroupLines {
  int64_t lines = 0;
  int64_t extent = 0;
  int64_t group_size = 0;
  float divisor = 1;
};

/// fake_quantize with the scale of each group's own absmax; that in `params` does not count.
void fake_quantize_groups(const float* in, float* out, const GroupLines& groups,
                          const ElementParams& params);

}  // namespace ptq::quant
