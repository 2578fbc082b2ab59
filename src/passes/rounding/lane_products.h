#pragma once

#include <cstdint>
#include <vector>

/// Products of very many small matrices, kLanes of them side by side: the innermost index of every
/// array is the matrix. Where there are that many (depthwise convolutions), a call for each takes
/// longer than computing. On the calling thread.
namespace ptq::passes {

constexpr int64_t kLanes = 16;

/// Rows of matrices in one array: element n of row i stands at offsets[i] + n * step, kLanes of it.
/// Rows may overlap.
struct LaneRows {
  std::vector<int64_t> offsets = {};
  int64_t step = kLanes;
  /// Elements of a row.
  int64_t count = 0;
  /// Floats of all.
  int64_t size = 0;

  int64_t rows() const { return static_cast<int64_t>(offsets.size()); }
};

/// sums += a bᵀ, both laid out as `rows` says; `sums` [rows, rows, kLanes]. If `a` is `b`, what is
/// below the diagonal is not to be used.
void add_lane_products(const float* a, const float* b, const LaneRows& rows, float* sums);

/// sums += rows of `a` summed; `sums` [rows, kLanes].
void add_lane_sums(const float* a, const LaneRows& rows, float* sums);

/// The squares of all elements of `weight` [out, rows, kLanes] times `columns`.
double lane_energy(const float* weight, int64_t out, const float* columns, const LaneRows& rows);

}  // namespace ptq::passes
