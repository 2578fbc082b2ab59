#include "runtime/integer/window_lines.h"

#include <algorithm>

#include "base/vector_loop.h"

namespace ptq::runtime::integer {
namespace {

/// Pixels that a line of windows covers, with the padding that it reads.
int64_t line_pixels(const Windows& w) { return (w.out_width - 1) * w.stride_x + w.kernel_width; }

template <class Element>
inline void copy_line(const Windows& w, const uint8_t* from, uint8_t zero, Element* to) {
  const int64_t channels = w.group_channels(), pixels = line_pixels(w);
  const int64_t left = std::min(w.padding_x, pixels);
  const int64_t inside = std::min(w.in_width, pixels - left);
  std::fill_n(to, left * channels, Element{zero});
  to += left * channels;
  if (channels == w.channels) {
    for (int64_t i = 0; i < inside * channels; ++i) to[i] = from[i];
  } else {
    for (int64_t x = 0; x < inside; ++x) {
      for (int64_t c = 0; c < channels; ++c) to[x * channels + c] = from[x * w.channels + c];
    }
  }
  std::fill_n(to + inside * channels, (pixels - left - inside) * channels, Element{zero});
}

/// Lines `first` ... `first + count - 1` of an image that begins at `image`.
template <class Element>
void copy_lines(const Windows& w, const uint8_t* image, int64_t first, int64_t count, uint8_t zero,
                uint8_t* to, int64_t line_bytes) {
  static constexpr VectorLoop copy = [](const Windows& windows, const uint8_t* from, int64_t y,
                                        int64_t lines, uint8_t outside, uint8_t* out,
                                        int64_t out_bytes) {
    for (const int64_t end = y + lines; y < end; ++y, out += out_bytes) {
      auto* const line = reinterpret_cast<Element*>(out);
      if (y < 0 || y >= windows.in_height) {
        std::fill_n(line, line_pixels(windows) * windows.group_channels(), Element{outside});
      } else {
        copy_line(windows, from + y * windows.in_width * windows.channels, outside, line);
      }
    }
  };
  copy(w, image, first, count, zero, to, line_bytes);
}

}  // namespace

bool WindowLines::serves(const Windows& w) {
  return !w.transposed && w.dilation_x == 1 && w.stride_x <= w.kernel_width &&
         w.stride_y <= w.kernel_height && !w.is_pointwise();
}

WindowLines::WindowLines(const Windows& windows, const PanelShape& shape)
    : windows_(windows), element_bytes_(shape.kernel().element_bytes) {
  line_bytes_ = line_pixels(windows) * windows.group_channels() * element_bytes_;
  const int64_t bytes = block_bytes(shape.bytes());
  const int64_t image = lines_read(windows.out_height) * line_bytes_;
  const int64_t fits = bytes / line_bytes_ - lines_read(1);
  const int64_t few = divided(kLeastRows, windows.out_width);
  const int64_t lines =
      image <= bytes ? windows.out_height : std::max(few, fits / windows.stride_y + 1);
  images_ = std::clamp<int64_t>(bytes / image, 1, windows.images);
  image_blocks_ = divided(windows.images, images_);
  images_ = divided(windows.images, image_blocks_);
  line_blocks_ = divided(windows.out_height, lines);
  lines_ = divided(windows.out_height, line_blocks_);
}

int64_t WindowLines::scratch_bytes() const {
  // A kernel reads whole steps, and with them beyond the last line.
  return images_ * lines_read(lines_) * line_bytes_ + 64;
}

RowSource::Block WindowLines::prepare(int64_t block, const uint8_t* in, int64_t group, uint8_t zero,
                                      uint8_t* scratch) const {
  const Windows& w = windows_;
  const int64_t image = block / line_blocks_ * images_, line = block % line_blocks_ * lines_;
  const int64_t images = std::min(images_, w.images - image);
  const int64_t lines = std::min(lines_, w.out_height - line);
  const int64_t read = lines_read(lines), first = line * w.stride_y - w.padding_y;
  const auto copy = element_bytes_ == 1 ? copy_lines<uint8_t> : copy_lines<int16_t>;
  for (int64_t i = 0; i < images; ++i) {
    const int64_t pixels = (image + i) * w.in_height * w.in_width;
    copy(w, in + pixels * w.channels + group * w.group_channels(), first, read, zero,
         scratch + i * read * line_bytes_, line_bytes_);
  }
  PreparedRows rows{scratch, w.stride_x * w.group_channels() * element_bytes_, w.out_width};
  rows.lines = lines, rows.line_bytes = w.stride_y * line_bytes_;
  rows.planes = images, rows.plane_bytes = read * line_bytes_;
  rows.piece_bytes = w.dilation_y * line_bytes_;
  return {rows, (image * w.out_height + line) * w.out_width};
}

}  // namespace ptq::runtime::integer
