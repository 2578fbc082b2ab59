#pragma once

#include <cstdint>

#include "runtime/layout.h"

namespace ptq::runtime::integer {

/// A convolution over channels-last bytes: sizes [images, channels, height, width] of input and
/// output, and the window.
struct Windows {
  int64_t images, channels, in_height, in_width, out_height, out_width;
  int64_t kernel_height, kernel_width, stride_y, stride_x, padding_y, padding_x;
  int64_t dilation_y, dilation_x, groups;
  /// Whether input and output change places: a transposed convolution.
  bool transposed;

  int64_t rows() const { return images * out_height * out_width; }
  int64_t group_channels() const { return channels / groups; }
  /// Terms of a row, by kernel row, kernel column, channel.
  int64_t terms() const { return kernel_height * kernel_width * group_channels(); }
  /// Every row is channels of one pixel, in the order of the pixels.
  bool is_pointwise() const;
};

/// Bytes behind a row, and behind the input, that gather may touch.
inline constexpr int64_t kGatherSlack = 16;

/// Writes the windows of the rows `first` ... `first + count - 1` in a group, `row_bytes` apart.
/// What a window covers beyond the input is `zero`.
void gather(const Windows& windows, const uint8_t* in, int64_t group, int64_t first, int64_t count,
            uint8_t zero, uint8_t* to, int64_t row_bytes);

}  // namespace ptq::runtime::integer
