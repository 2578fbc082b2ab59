#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace ptq::passes {

/// What an accumulator is to hold: no partial sum of up to `tile_size` products (those of
/// neighbouring columns) may leave the range of `bit_width` bits, whatever the input's codes are.
struct Accumulator {
  int64_t bit_width = 32;
  int64_t tile_size = 0;
  /// Range of the input's codes.
  double input_min = -128, input_max = 127;
};

/// Holds the codes of one matrix of weights to what an accumulator can take, column by column in
/// any order (AXE, arXiv 2409.17092; reference-contract 6.13): weights are first shrunk by a
/// threshold that brings them near the bound as a whole, then clipped to what the codes chosen so
/// far leave. Different rows may be treated at the same time.
class AccumulatorBound {
 public:
  /// `rows` [out, K], `scales` one a row.
  AccumulatorBound(const Accumulator& accumulator, const at::Tensor& rows, const float* scales);

  /// Shrinks and clips `count` values of a column, from row `first` on.
  void limit(int64_t column, int64_t first, int64_t count, float* values) const;
  /// The values that the column was rounded to.
  void record(int64_t column, int64_t first, int64_t count, const float* quantized);

 private:
  /// Of one row and tile: what it is shrunk by, and the sums of the codes above and below zero.
  struct Tile {
    double threshold = 0;
    double positive = 0, negative = 0;
  };

  Tile& tile(int64_t column, int64_t row) {
    return tiles_[static_cast<size_t>(row * tiles_of_row_ + column / accumulator_.tile_size)];
  }
  const Tile& tile(int64_t column, int64_t row) const {
    return tiles_[static_cast<size_t>(row * tiles_of_row_ + column / accumulator_.tile_size)];
  }
  double upper(const Tile& tile) const;
  double lower(const Tile& tile) const;

  Accumulator accumulator_;
  double largest_sum_;
  int64_t tiles_of_row_;
  std::vector<float> scales_;
  std::vector<Tile> tiles_;
};

}  // namespace ptq::passes
