#pragma once

#include <memory>
#include <vector>

#include "runtime/integer/multiply.h"

namespace ptq::runtime::integer {

/// The columns of one layer: its weight packed by groups, and what turns sums into values.
struct LayerColumns {
  /// One for all groups, of as many terms and columns as a group has.
  PanelShape shape;
  AlignedBytes packed;
  int64_t groups = 1;
  std::vector<int32_t> constant, weight_zero;
  std::vector<float> scale, bias;

  const void* group(int64_t index) const {
    return static_cast<const uint8_t*>(packed.data()) + index * shape.bytes();
  }
  Columns columns() const;
};

/// `rows` is [output channels, terms] int8, those of a group one after the other; terms come in so
/// many pieces.
std::shared_ptr<const LayerColumns> layer_columns(const quant::IntegerLayer& layer,
                                                  const at::Tensor& rows, int64_t groups,
                                                  int64_t pieces, const quant::ByteFormat& input);

}  // namespace ptq::runtime::integer
