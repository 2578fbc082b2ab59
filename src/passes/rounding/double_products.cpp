#include "passes/rounding/double_products.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "base/vector_loop.h"

namespace ptq::passes {
namespace {

/// A tile of the result stays in registers while a panel of `b`, which stays in the nearest cache,
/// is read.
constexpr int64_t kTileRows = 4, kTileColumns = 16, kPanelRows = 256;

constexpr VectorLoop multiply_tile = [](const double* const* a, const double* panel, int64_t depth,
                                        double (*sums)[kTileColumns]) {
  double s[kTileRows][kTileColumns] = {};
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t i = 0; i < kTileRows; ++i) {
      const double factor = a[i][k];
#pragma omp simd
      for (int64_t j = 0; j < kTileColumns; ++j) s[i][j] += factor * panel[k * kTileColumns + j];
    }
  }
  for (int64_t i = 0; i < kTileRows; ++i) std::copy(s[i], s[i] + kTileColumns, sums[i]);
};

void pack_panel(const Matrix& b, double* panel) {
  for (int64_t k = 0; k < b.rows; ++k) {
    double* const out = panel + k * kTileColumns;
    std::copy(b.row(k), b.row(k) + b.columns, out);
    std::fill(out + b.columns, out + kTileColumns, 0.0);
  }
}

void add_panel(const Matrix& c, const Matrix& a, const double* panel, double factor) {
  double sums[kTileRows][kTileColumns];
  for (int64_t begin = 0; begin < c.rows; begin += kTileRows) {
    const double* rows[kTileRows];
    for (int64_t i = 0; i < kTileRows; ++i) rows[i] = a.row(std::min(begin + i, a.rows - 1));
    multiply_tile(rows, panel, a.columns, sums);
    for (int64_t i = 0; i < std::min(kTileRows, c.rows - begin); ++i) {
      double* const out = c.row(begin + i);
      for (int64_t j = 0; j < c.columns; ++j) out[j] += factor * sums[i][j];
    }
  }
}

}  // namespace

Matrix matrix_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<double>(), tensor.size(0), tensor.size(1), tensor.stride(0)};
}

void add_product(const Matrix& c, const Matrix& a, const Matrix& b, double factor) {
  const int64_t tiles = (c.columns + kTileColumns - 1) / kTileColumns;
  at::parallel_for(0, tiles, 4, [&](int64_t first, int64_t last) {
    std::vector<double> panel(kPanelRows * kTileColumns);
    for (int64_t k = 0; k < a.columns; k += kPanelRows) {
      const int64_t k_end = std::min(k + kPanelRows, a.columns);
      for (int64_t tile = first; tile < last; ++tile) {
        const int64_t begin = tile * kTileColumns;
        const int64_t end = std::min(begin + kTileColumns, c.columns);
        pack_panel(b.part(k, k_end, begin, end), panel.data());
        add_panel(c.part(0, c.rows, begin, end), a.part(0, a.rows, k, k_end), panel.data(), factor);
      }
    }
  });
}

}  // namespace ptq::passes
