#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "ptq/ir/op.h"

namespace ptq::passes {

/// What a convolution (or transposed convolution) multiplies with the rows of its weight, written
/// out: one column for each position of the output, one row for each input channel and tap of the
/// kernel, row-major like the weight; zeros where the window lies outside. For a transposed one, a
/// tap whose position no input writes to is zero too.
class Unfold {
 public:
  /// For inputs of these sizes, [N, C, ...] with one to three further dimensions.
  Unfold(const ir::Op& op, c10::IntArrayRef sizes);

  /// Of all groups together.
  int64_t rows() const { return channels_ * taps_; }
  /// Columns come in lines that stay together: the positions of the output's last dimension.
  int64_t lines() const { return images_ * lines_of_image_; }
  int64_t line_length() const { return width_.out; }
  int64_t columns() const { return lines() * line_length(); }

  /// Lines begin .. end - 1 of `input` (contiguous) to `out`, [rows, (end - begin) * length].
  void fill(const at::Tensor& input, int64_t begin, int64_t end, at::Tensor& out) const;
  /// Rows first .. last - 1 of it, on the calling thread, to `out` [last - first, ...].
  void fill_rows(const at::Tensor& input, int64_t first, int64_t last, int64_t begin, int64_t end,
                 float* out) const;

 private:
  /// One spatial dimension.
  struct Axis {
    int64_t in = 1, out = 1, kernel = 1;
    /// By tap, then output position: the input position, -1 for none.
    std::vector<int64_t> sources = {0};
    /// By tap: the output positions that follow each other through the input without a gap.
    struct Run {
      int64_t begin = 0, end = 0;
    };
    std::vector<Run> runs = {{0, 1}};
    void find_runs();
    int64_t source(int64_t tap, int64_t position) const {
      return sources[static_cast<size_t>(tap * out + position)];
    }
  };
  /// A tap by its place in each dimension.
  struct Tap {
    int64_t depth, height, width;
  };

  template <class Convolution>
  void set_axes(const Convolution& op, c10::IntArrayRef sizes, c10::IntArrayRef kernel);
  void merge_axes();
  void fill_line(const float* image, const Tap& tap, int64_t line, float* out) const;

  int64_t images_, channels_, taps_ = 1, lines_of_image_ = 1;
  Axis depth_, height_, width_;
};

}  // namespace ptq::passes
