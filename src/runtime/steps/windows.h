#pragma once

#include <cstdint>
#include <vector>

#include "runtime/layout.h"

/// What pools reduce.
namespace ptq::runtime {

/// From the first element of a window along one axis to past the last one, inside the input, and
/// how many the window counts with padding.
struct Span {
  int64_t begin, end, counted;
};

/// Of all windows along one axis.
using Spans = std::vector<Span>;

/// `out` windows over `in` elements; the last may reach past the padding.
Spans window_spans(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding,
                   int64_t dilation);

/// Window i of `out` goes from floor(i in / out) to ceil((i + 1) in / out).
Spans adaptive_spans(int64_t in, int64_t out);

/// Images of height * width pixels, each of which is its channels, densely.
struct PooledValue {
  int64_t images, channels, height, width;
};

/// A value with channels innermost, of three dimensions (height 1) or four.
PooledValue pooled_value(const Layout& in);

/// The extent of a pool's kernel, stride or padding along height (axis 0) and width (axis 1); a
/// pool over one dimension has `otherwise` along height.
int64_t along(const Extents& extents, size_t axis, int64_t otherwise);

}  // namespace ptq::runtime
