#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "passes/lane_products.h"
#include "ptq/ir/op.h"

namespace ptq::passes {

/// What a convolution (or transposed convolution) multiplies with its weight, written out: a row
/// for each position of the output, and in it, for each tap of the kernel, the channels that the
/// window has there; zeros where it lies outside. For a transposed one, a tap whose position no
/// input writes to is zero too. A Linear reads its rows as they are.
class Unfold {
 public:
  /// For inputs of these sizes: [N, C, ...] with one to three further dimensions, [..., K] for a
  /// Linear.
  Unfold(const ir::Op& op, c10::IntArrayRef sizes);

  int64_t groups() const { return groups_; }
  /// Elements of one group in a row: taps * C / groups.
  int64_t depth() const { return taps_ * channels_of_group(); }
  int64_t taps() const { return taps_; }
  /// Rows, of all images together, in lines: the positions of the output's last dimension.
  int64_t rows() const { return lines() * line_length(); }
  int64_t lines() const { return images_ * depth_.out * height_.out; }
  int64_t line_length() const { return width_.out; }
  /// Whether the rows are the input's positions, one by one.
  bool is_input() const { return is_input_; }

  /// `input` with channels innermost, as the functions below take it; no copy if it lies so.
  at::Tensor channels_innermost(const at::Tensor& input) const;

  /// Rows begin .. end - 1 of one group to `out`, [end - begin, depth], on the calling thread.
  void fill(const at::Tensor& input, int64_t group, int64_t begin, int64_t end, float* out) const;

  /// One line for kLanes groups side by side, without copies of what windows share.
  LaneRows lane_rows() const;
  /// Fills `used` lanes of it from `first_group` on; the others are left alone.
  void fill_lanes(const at::Tensor& input, int64_t first_group, int64_t used, int64_t line,
                  float* out) const;

 private:
  /// One spatial dimension. Windows move over a stretched input: the tap of an output position is
  /// at position * step + offsets[tap] there.
  struct Axis {
    int64_t in = 1, out = 1, kernel = 1, step = 1;
    std::vector<int64_t> offsets = {0};
    /// By position of the stretched input: that of the input, -1 for none.
    std::vector<int64_t> inputs = {0};

    int64_t length() const { return static_cast<int64_t>(inputs.size()); }
    int64_t source(int64_t tap, int64_t position) const {
      return inputs[static_cast<size_t>(position * step + offsets[static_cast<size_t>(tap)])];
    }
  };

  int64_t channels_of_group() const { return channels_ / groups_; }
  template <class Convolution>
  void set_axes(const Convolution& op, c10::IntArrayRef sizes, c10::IntArrayRef kernel);
  /// Where the channels of the input position begin that is first in its line, of one tap of a line
  /// in the outer dimensions (depth and height); -1 for none.
  int64_t input_line(int64_t line, int64_t outer_tap) const;

  int64_t images_ = 1, channels_ = 1, groups_ = 1, taps_ = 1;
  bool is_linear_ = false, is_input_ = false;
  Axis depth_, height_, width_;
};

}  // namespace ptq::passes
