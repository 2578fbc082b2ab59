#include "passes/rounding/accumulator_bound.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ptq::passes {
namespace {

/// What all magnitudes have to lose, zero being the end, for their sum to be `radius`.
double shrinkage(std::vector<double> magnitudes, double radius) {
  if (std::accumulate(magnitudes.begin(), magnitudes.end(), 0.0) <= radius) return 0;
  std::sort(magnitudes.begin(), magnitudes.end(), std::greater<>());
  double sum = 0, threshold = 0;
  for (size_t i = 0; i < magnitudes.size(); ++i) {
    sum += magnitudes[i];
    const auto count = static_cast<double>(i + 1);
    if (magnitudes[i] * count > sum - radius) threshold = (sum - radius) / count;
  }
  return threshold;
}

/// Magnitudes of a tile's codes around their mean; what lies beyond the row counts as zeros.
std::vector<double> centred(const float* weights, int64_t count, int64_t size, double scale) {
  std::vector<double> values(static_cast<size_t>(size), 0.0);
  for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = weights[i] / scale;
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(size);
  for (double& value : values) value = std::abs(value - mean);
  return values;
}

}  // namespace

AccumulatorBound::AccumulatorBound(const Accumulator& accumulator, const at::Tensor& rows,
                                   const float* scales)
    : accumulator_(accumulator),
      largest_sum_(std::exp2(static_cast<double>(accumulator.bit_width) - 1) - 1),
      tiles_of_row_((rows.size(1) + accumulator.tile_size - 1) / accumulator.tile_size),
      scales_(scales, scales + rows.size(0)),
      tiles_(static_cast<size_t>(rows.size(0) * tiles_of_row_)) {
  const int64_t size = accumulator.tile_size, columns = rows.size(1);
  const double radius = 2 * largest_sum_ / (accumulator.input_max - accumulator.input_min);
  const at::Tensor weights = rows.contiguous();
  for (int64_t row = 0; row < rows.size(0); ++row) {
    const float* const weight = weights.data_ptr<float>() + row * columns;
    const double scale = scales_[static_cast<size_t>(row)];
    for (int64_t begin = 0; begin < columns; begin += size) {
      const int64_t count = std::min(size, columns - begin);
      tile(begin, row).threshold =
          scale * shrinkage(centred(weight + begin, count, size, scale), radius);
    }
  }
}

/// The largest code that the tile can still take, less half a step for rounding.
double AccumulatorBound::upper(const Tile& tile) const {
  const double low = accumulator_.input_min, high = accumulator_.input_max;
  double most = (largest_sum_ - high * tile.positive - low * tile.negative) / high;
  if (low < 0) {
    most = std::min(most, (-largest_sum_ - low * tile.positive - high * tile.negative) / low);
  }
  return most - 0.5;
}

double AccumulatorBound::lower(const Tile& tile) const {
  const double low = accumulator_.input_min, high = accumulator_.input_max;
  double least = (-largest_sum_ - low * tile.positive - high * tile.negative) / high;
  if (low < 0) {
    least = std::max(least, (largest_sum_ - high * tile.positive - low * tile.negative) / low);
  }
  return least + 0.5;
}

void AccumulatorBound::limit(int64_t column, int64_t first, int64_t count, float* values) const {
  for (int64_t i = 0; i < count; ++i) {
    const Tile& own = tile(column, first + i);
    const double scale = scales_[static_cast<size_t>(first + i)];
    const double magnitude = std::max(0.0, std::abs(values[i]) - own.threshold);
    const double shrunk = std::copysign(magnitude, static_cast<double>(values[i]));
    const double low = scale * std::min(0.0, lower(own)), high = scale * std::max(0.0, upper(own));
    values[i] = static_cast<float>(std::clamp(shrunk, low, high));
  }
}

void AccumulatorBound::record(int64_t column, int64_t first, int64_t count,
                              const float* quantized) {
  for (int64_t i = 0; i < count; ++i) {
    Tile& own = tile(column, first + i);
    const double code = std::round(quantized[i] / scales_[static_cast<size_t>(first + i)]);
    (code > 0 ? own.positive : own.negative) += code;
  }
}

}  // namespace ptq::passes
