#include "runtime/integer/window_rows.h"

#include <cstring>

#include "base/vector_loop.h"

namespace ptq::runtime::integer {
namespace {

/// As many vectors as the processor makes of it.
using Bytes64 [[gnu::vector_size(64), gnu::aligned(1), gnu::may_alias]] = uint8_t;

/// 64 bytes at a time, then sixteen: past the end by up to kGatherSlack.
inline void copy_bytes(const uint8_t* from, int64_t count, uint8_t* to) {
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    *reinterpret_cast<Bytes64*>(to + i) = *reinterpret_cast<const Bytes64*>(from + i);
  }
  for (; i < count; i += 16) std::memcpy(to + i, from + i, 16);
}

/// Where a tap reads, or -1 where that is outside.
inline int64_t place_of(int64_t out, int64_t tap, int64_t stride, int64_t padding, int64_t dilation,
                        int64_t extent, bool transposed) {
  int64_t place = 0;
  if (transposed) {
    const int64_t spread = out + padding - tap * dilation;
    if (spread < 0 || spread % stride != 0) return -1;
    place = spread / stride;
  } else {
    place = out * stride - padding + tap * dilation;
  }
  return place >= 0 && place < extent ? place : -1;
}

struct Pixel {
  int64_t image, y, x;
};

class Gatherer {
 public:
  Gatherer(const Windows& windows, const uint8_t* in, int64_t group, uint8_t zero)
      : w_(windows), in_(in + group * windows.group_channels()), zero_(zero) {
    contiguous_ = !w_.transposed && w_.dilation_x == 1 && w_.groups == 1;
  }

  void row(const Pixel& pixel, uint8_t* to) const {
    const int64_t line = w_.kernel_width * w_.group_channels();
    for (int64_t tap = 0; tap < w_.kernel_height; ++tap, to += line) {
      const int64_t y = place_of(pixel.y, tap, w_.stride_y, w_.padding_y, w_.dilation_y,
                                 w_.in_height, w_.transposed);
      if (y < 0) {
        std::memset(to, zero_, static_cast<size_t>(line));
      } else {
        line_of(in_ + (pixel.image * w_.in_height + y) * w_.in_width * w_.channels, pixel.x, to);
      }
    }
  }

 private:
  void line_of(const uint8_t* from, int64_t out_x, uint8_t* to) const {
    const int64_t first = out_x * w_.stride_x - w_.padding_x;
    if (contiguous_ && first >= 0 && first + w_.kernel_width <= w_.in_width) {
      return copy_bytes(from + first * w_.channels, w_.kernel_width * w_.channels, to);
    }
    const int64_t channels = w_.group_channels();
    for (int64_t tap = 0; tap < w_.kernel_width; ++tap, to += channels) {
      const int64_t x = place_of(out_x, tap, w_.stride_x, w_.padding_x, w_.dilation_x, w_.in_width,
                                 w_.transposed);
      if (x < 0) {
        std::memset(to, zero_, static_cast<size_t>(channels));
      } else {
        copy_bytes(from + x * w_.channels, channels, to);
      }
    }
  }

  const Windows& w_;
  const uint8_t* in_;
  uint8_t zero_;
  bool contiguous_;
};

constexpr VectorLoop gather_rows = [](const Gatherer& gatherer, const Windows& windows,
                                      int64_t first, int64_t count, uint8_t* to,
                                      int64_t row_bytes) {
  const int64_t pixels = windows.out_height * windows.out_width;
  Pixel pixel{first / pixels, first % pixels / windows.out_width, first % windows.out_width};
  for (int64_t row = 0; row < count; ++row, to += row_bytes) {
    gatherer.row(pixel, to);
    if (++pixel.x < windows.out_width) continue;
    pixel.x = 0;
    if (++pixel.y < windows.out_height) continue;
    pixel.y = 0, ++pixel.image;
  }
};

}  // namespace

bool Windows::is_pointwise() const {
  return kernel_height == 1 && kernel_width == 1 && stride_y == 1 && stride_x == 1 &&
         padding_y == 0 && padding_x == 0 && out_height == in_height && out_width == in_width;
}

void gather(const Windows& windows, const uint8_t* in, int64_t group, int64_t first, int64_t count,
            uint8_t zero, uint8_t* to, int64_t row_bytes) {
  gather_rows(Gatherer(windows, in, group, zero), windows, first, count, to, row_bytes);
}

}  // namespace ptq::runtime::integer
