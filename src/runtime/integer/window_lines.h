#pragma once

#include "runtime/integer/row_source.h"

namespace ptq::runtime::integer {

/// The windows of a convolution as they lie in its input's lines. A line is copied once, with its
/// padding and as the kernel reads it; neighbouring windows share what they both cover, and a row's
/// pieces are in one line each.
class WindowLines : public RowSource {
 public:
  /// Not for windows that leave out pixels between their taps, nor where most lines go unread.
  static bool serves(const Windows& windows);

  WindowLines(const Windows& windows, const PanelShape& shape);

  int64_t blocks() const override { return image_blocks_ * line_blocks_; }
  int64_t scratch_bytes() const override;
  int64_t most_rows() const override { return images_ * lines_ * windows_.out_width; }
  Block prepare(int64_t block, const uint8_t* in, int64_t group, uint8_t zero,
                uint8_t* scratch) const override;

 private:
  /// Lines of the input that so many lines of the output read.
  int64_t lines_read(int64_t lines) const {
    return (lines - 1) * windows_.stride_y + (windows_.kernel_height - 1) * windows_.dilation_y + 1;
  }

  Windows windows_;
  int64_t element_bytes_, line_bytes_;
  /// Of a block: whole images, or lines of one.
  int64_t images_, lines_;
  int64_t image_blocks_, line_blocks_;
};

}  // namespace ptq::runtime::integer
