#pragma once

#include <c10/util/ArrayRef.h>

#include "passes/rounding/lane_products.h"
#include "ptq/ir/op.h"

namespace ptq::passes {

/// What a convolution of many small groups multiplies with its weight, kLanes groups side by side:
/// with channels innermost, the values that a tap meets along a line of the output are a row of the
/// input as it is (padded), so that nothing is copied tap by tap as Unfold does.
class LaneUnfold {
 public:
  /// For inputs of these sizes, [N, C, ...] with one to three further dimensions.
  LaneUnfold(const ir::Conv& op, c10::IntArrayRef sizes);

  int64_t groups() const { return groups_; }
  /// The positions of the output's last dimension, for every other position and image.
  int64_t lines() const { return images_ * depth_.out * height_.out; }
  int64_t columns() const { return lines() * width_.out; }

  /// Rows in the order of passes/rounding/weight_rows.h: channel of the group, then tap.
  LaneRows rows() const;
  /// One line of groups first_group .. first_group + used - 1 to `out`, rows().size floats, the
  /// lanes behind `used` left alone. `input` [N, ..., C].
  void fill(const float* input, int64_t first_group, int64_t used, int64_t line, float* out) const;

 private:
  /// One spatial dimension.
  struct Axis {
    int64_t in = 1, out = 1, kernel = 1, stride = 1, padding = 0, dilation = 1;
    /// The input position that a tap meets, -1 for none.
    int64_t source(int64_t position, int64_t tap) const;
    /// Input positions from the first tap at the first output position on.
    int64_t length() const { return (out - 1) * stride + (kernel - 1) * dilation + 1; }
  };

  int64_t taps() const { return depth_.kernel * height_.kernel * width_.kernel; }
  /// Where in the input the line begins that a tap of the outer dimensions meets, -1 for none.
  int64_t input_line(int64_t line, int64_t outer_tap) const;

  int64_t images_, channels_, groups_, channels_of_group_;
  Axis depth_, height_, width_;
};

}  // namespace ptq::passes
