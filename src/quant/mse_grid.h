#pragma once

#include <array>

/// The grid of the MSE search (reference-contract 3.7): i * (range / 20), i = 2 .. 20.
namespace ptq::quant {

inline constexpr int kGridParts = 20;
inline constexpr int kGridFirst = 2;
inline constexpr int kGridSize = kGridParts - kGridFirst + 1;

/// Sums of squares of each candidate.
using GridLosses = std::array<double, kGridSize>;

inline float grid_candidate(float range, int index) {
  return range / static_cast<float>(kGridParts) * static_cast<float>(index + kGridFirst);
}

/// The candidate of least loss, the smaller one where losses are equal as float32, in which the
/// reference compares them. range / 20 where no loss is a number.
float best_candidate(float range, const GridLosses& losses);

}  // namespace ptq::quant
