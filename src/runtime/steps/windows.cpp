#include "runtime/steps/windows.h"

#include <algorithm>

namespace ptq::runtime {

Spans window_spans(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding,
                   int64_t dilation) {
  Spans spans;
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * stride - padding;
    const int64_t end = std::min(begin + (kernel - 1) * dilation + 1, in + padding);
    spans.push_back({begin, std::min(end, in), end - begin});
    while (spans.back().begin < 0) spans.back().begin += dilation;
  }
  return spans;
}

Spans adaptive_spans(int64_t in, int64_t out) {
  Spans spans;
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    spans.push_back({begin, end, end - begin});
  }
  return spans;
}

PooledValue pooled_value(const Layout& in) {
  if (in.sizes.size() == 3) return {in.sizes[0], in.sizes[1], 1, in.sizes[2]};
  return {in.sizes[0], in.sizes[1], in.sizes[2], in.sizes[3]};
}

int64_t along(const Extents& extents, size_t axis, int64_t otherwise) {
  if (extents.size() == 2) return extents[axis];
  return axis == 0 ? otherwise : extents[0];
}

}  // namespace ptq::runtime
