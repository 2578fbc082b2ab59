#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// A tensor laid out anew, row-major, so that elements of one scale lie together: in rows. One row
/// per tensor, a row per channel, or a row per group.
class Partition {
 public:
  /// Throws InternalError if `x` lacks the axis of the quantizer.
  Partition(const at::Tensor& x, const Quantizer& quantizer);

  struct Row {
    int64_t begin = 0;
    int64_t size = 0;
    /// Whether zeros would have to fill the row up to the size of a group.
    bool is_padded = false;
  };
  int64_t rows() const { return rows_; }
  Row row(int64_t index) const;
  /// Elements of the longest row.
  int64_t longest_row() const { return row_size_; }

  const float* data() const { return values_.data_ptr<float>(); }
  /// The elements row by row; per group the axis comes last.
  const at::Tensor& values() const { return values_; }
  /// From the layout of values() back to the strides of the tensor.
  at::Tensor restore(const at::Tensor& values) const;

  /// A number for each row in the shape of scales, and back.
  at::Tensor in_scale_shape(const std::vector<float>& row_values) const;
  std::vector<float> by_row(const at::Tensor& scales) const;

 private:
  at::Tensor original_;
  at::Tensor values_;
  Granularity granularity_;
  int64_t axis_ = 0;
  int64_t rows_ = 1;
  int64_t row_size_ = 0;
  int64_t rows_per_line_ = 1;
};

/// The axis of per-channel and per-group quantizers, counted from the front.
int64_t positive_axis(const at::Tensor& x, const Quantizer& quantizer);

}  // namespace ptq::quant
