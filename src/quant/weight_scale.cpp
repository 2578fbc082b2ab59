#include "quant/weight_scale.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "base/threads.h"
#include "ptq/base/error.h"
#include "quant/element_params.h"
#include "quant/hqo.h"
#include "quant/kernels.h"
#include "quant/mse_search.h"
#include "quant/partition.h"
#include "quant/scale_of_threshold.h"

namespace ptq::quant {
namespace {

/// Absmax, or the interval from the smallest weight or zero to the largest
/// (reference-contract 3.4: the largest may be below zero). The zeros that fill up a short group
/// count as weights.
MseSolution statistic(const Partition& rows, const Partition::Row& row,
                      const Quantizer& quantizer) {
  Range range = range_of(rows.data() + row.begin, row.size);
  if (quantizer.symmetry == Symmetry::kSymmetric) return {range.absmax(), 0};
  if (row.is_padded) range = range_of(range, Range{0, 0});
  return {range.interval(), range.zero()};
}

MseSolution solve_row(const Partition& rows, int64_t index, const Quantizer& quantizer) {
  const Partition::Row row = rows.row(index);
  const MseSolution range = statistic(rows, row, quantizer);
  if (quantizer.calibration == Calibration::kStatistics) return range;
  return mse_search(rows.data() + row.begin, row.size, range, quantizer);
}

RowSolutions solve_each_row(const Partition& rows, const Quantizer& quantizer) {
  const bool is_symmetric = quantizer.symmetry == Symmetry::kSymmetric;
  const auto size = static_cast<size_t>(rows.rows());
  RowSolutions solutions{std::vector<float>(size), std::vector<float>(is_symmetric ? 0 : size)};
  const int64_t grain = std::max<int64_t>(1, kParallelGrain / (rows.longest_row() + 1));
  at::parallel_for(0, rows.rows(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<size_t>(i);
      const MseSolution solution = solve_row(rows, i, quantizer);
      const float scale = scale_of_threshold(solution.threshold, quantizer);
      solutions.scales[index] = scale;
      if (is_symmetric) continue;
      solutions.zero_points[index] = zero_point_of(solution.zero, scale, *quantizer.integer());
    }
  });
  return solutions;
}

RowSolutions solve_rows(const Partition& rows, const Quantizer& quantizer) {
  if (quantizer.calibration != Calibration::kHqo) return solve_each_row(rows, quantizer);
  return quantizer.symmetry == Symmetry::kSymmetric ? hqo_scales(rows, quantizer)
                                                    : hqo_zero_points(rows, quantizer);
}

}  // namespace

ScaleAndZeroPoint solve_weight_scale(const at::Tensor& weight, const Quantizer& quantizer) {
  check_quantizer(quantizer);
  if (quantizer.kind != QuantizerKind::kWeight || weight.numel() == 0) {
    throw InternalError(quantizer.layer + ": a weight scale is asked for without a weight");
  }
  const Partition rows(weight, quantizer);
  const RowSolutions solutions = solve_rows(rows, quantizer);
  ScaleAndZeroPoint result{rows.in_scale_shape(solutions.scales), {}};
  if (!solutions.zero_points.empty()) {
    result.zero_point = rows.in_scale_shape(solutions.zero_points);
  }
  return result;
}

}  // namespace ptq::quant
