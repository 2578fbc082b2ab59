#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "ptq/ir/op.h"
#include "ptq/quant/quantizer.h"

namespace ptq::passes {

/// The weight quantizer of a layer as techniques use it that round one column after another, at
/// scales that are frozen: rows and columns are those of weight_rows. Gives the same numbers as
/// quant::fake_quantize_weight, for every format and granularity.
class ColumnQuantizer {
 public:
  /// `op` has a weight quantizer with known scales.
  ColumnQuantizer(const ir::Op& op, const quant::QuantizerTable& table);

  /// Fake-quantizes `count` values of a column, from row `first` of the group on.
  void quantize(int64_t group, int64_t column, int64_t first, int64_t count, const float* in,
                float* out) const;

  /// Scales of all rows of the group, at a column.
  const float* scales(int64_t group, int64_t column) const { return at(scales_, group, column); }
  const quant::Quantizer& quantizer() const { return quantizer_; }

 private:
  /// A number for each row and column: the same for all columns, or one for each.
  struct Grid {
    std::vector<float> values;
    int64_t group_stride = 0, column_stride = 0;
  };

  Grid grid_of(const ir::Op& op, const at::Tensor& values) const;
  static const float* at(const Grid& grid, int64_t group, int64_t column) {
    return grid.values.data() + group * grid.group_stride + column * grid.column_stride;
  }

  const quant::Quantizer& quantizer_;
  Grid scales_, zero_points_;
};

}  // namespace ptq::passes
