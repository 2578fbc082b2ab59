#include "passes/rounding/lane_products.h"

#include <algorithm>

#include "base/vector_loop.h"

namespace ptq::passes {
namespace {

/// Eight lanes; what a compiler without such registers makes of it is right too.
using Vector = float __attribute__((vector_size(32), aligned(4), may_alias));
constexpr int64_t kAtOnce = 8;

const Vector& vector_at(const float* values) { return *reinterpret_cast<const Vector*>(values); }
Vector& vector_at(float* values) { return *reinterpret_cast<Vector*>(values); }

/// Rows of `a` with rows of `b`, as many as registers hold the sums of, in kAtOnce lanes.
struct Tile {
  const float* a;
  const float* b;
  const int64_t* a_offsets;
  const int64_t* b_offsets;
  int64_t step, count;
  /// [rows of a, `stride`].
  float* sums;
  int64_t stride;
};

template <int64_t kFirst, int64_t kSecond>
inline __attribute__((always_inline)) void add_tile(const Tile& tile) {
  Vector sums[kFirst][kSecond] = {};
  const float* first[kFirst];
  const float* second[kSecond];
  for (int64_t i = 0; i < kFirst; ++i) first[i] = tile.a + tile.a_offsets[i];
  for (int64_t j = 0; j < kSecond; ++j) second[j] = tile.b + tile.b_offsets[j];
  for (int64_t n = 0; n < tile.count * tile.step; n += tile.step) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kSecond; ++j) {
      const Vector other = vector_at(second[j] + n);
#pragma GCC unroll 2
      for (int64_t i = 0; i < kFirst; ++i) sums[i][j] += vector_at(first[i] + n) * other;
    }
  }
  for (int64_t i = 0; i < kFirst; ++i) {
    for (int64_t j = 0; j < kSecond; ++j) {
      vector_at(tile.sums + i * tile.stride + j * kLanes) += sums[i][j];
    }
  }
}

template <int64_t kFirst>
inline __attribute__((always_inline)) void add_tiles(Tile tile, int64_t others) {
  for (; others >= 4; others -= 4, tile.b_offsets += 4, tile.sums += 4 * kLanes) {
    add_tile<kFirst, 4>(tile);
  }
  if (others == 3) add_tile<kFirst, 3>(tile);
  if (others == 2) add_tile<kFirst, 2>(tile);
  if (others == 1) add_tile<kFirst, 1>(tile);
}

constexpr VectorLoop lane_products_loop = [](const float* a, const float* b, const LaneRows& rows,
                                             float* sums) {
  const int64_t count = rows.rows(), stride = count * kLanes;
  for (int64_t lane = 0; lane < kLanes; lane += kAtOnce) {
    for (int64_t i = 0; i < count; i += 2) {
      const int64_t first = a == b ? i : 0;
      const Tile tile{a + lane,
                      b + lane,
                      rows.offsets.data() + i,
                      rows.offsets.data() + first,
                      rows.step,
                      rows.count,
                      sums + i * stride + first * kLanes + lane,
                      stride};
      if (i + 1 < count) {
        add_tiles<2>(tile, count - first);
      } else {
        add_tiles<1>(tile, count - first);
      }
    }
  }
};

}  // namespace

void add_lane_products(const float* a, const float* b, const LaneRows& rows, float* sums) {
  lane_products_loop(a, b, rows, sums);
}

void add_lane_sums(const float* a, const LaneRows& rows, float* sums) {
  for (const int64_t offset : rows.offsets) {
    const float* from = a + offset;
    for (int64_t i = 0; i < rows.count; ++i, from += rows.step) {
      for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += from[lane];
    }
    sums += kLanes;
  }
}

double lane_energy(const float* weight, int64_t out, const float* columns, const LaneRows& rows) {
  double energy = 0;
  for (int64_t o = 0; o < out; ++o, weight += rows.rows() * kLanes) {
    for (int64_t i = 0; i < rows.count; ++i) {
      float outputs[kLanes] = {};
      for (int64_t row = 0; row < rows.rows(); ++row) {
        const float* const x = columns + rows.offsets[static_cast<size_t>(row)] + i * rows.step;
        for (int64_t k = 0; k < kLanes; ++k) outputs[k] += weight[row * kLanes + k] * x[k];
      }
      for (const float output : outputs) energy += static_cast<double>(output) * output;
    }
  }
  return energy;
}

}  // namespace ptq::passes
