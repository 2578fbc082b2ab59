#pragma once

#include <vector>

#include "ptq/quant/quantizer.h"
#include "quant/partition.h"

namespace ptq::quant {

/// What a weight quantizer has for each row of a partition.
struct RowSolutions {
  std::vector<float> scales;
  /// Empty for symmetric quantizers.
  std::vector<float> zero_points;
};

/// Half-quadratic optimization (reference-contract 3.8). Symmetric: the scale of each row, from
/// the given one. Asymmetric: the zero point of each row, neither rounded nor clamped, for the
/// given scale. The rows of a convolution are fitted like those of a linear layer (section 10, row
/// 20); one stopping criterion, the mean error of the whole weight, serves all.
RowSolutions hqo_scales(const Partition& rows, const Quantizer& quantizer);
RowSolutions hqo_zero_points(const Partition& rows, const Quantizer& quantizer);

}  // namespace ptq::quant
