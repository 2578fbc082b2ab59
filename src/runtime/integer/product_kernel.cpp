#include "runtime/integer/product_kernel.h"

#include <algorithm>

#include "runtime/integer/product_kernels.h"

namespace ptq::runtime::integer {
namespace {

int64_t four_rows(int64_t /*columns*/) { return 4; }

/// Plain C++, for processors without a kernel of their own.
void plain_tile(const TileRows& rows, const void* panel, int64_t columns, int32_t* sums) {
  std::fill_n(sums, rows.count * columns, 0);
  for (int64_t row = 0; row < rows.count; ++row, sums += columns) {
    const auto* w = static_cast<const int8_t*>(panel);
    for (int64_t piece = 0; piece < rows.pieces; ++piece) {
      const uint8_t* x =
          static_cast<const uint8_t*>(rows.data) + row * rows.row_bytes + piece * rows.piece_bytes;
      for (int64_t step = 0; step < rows.steps; ++step, x += 4) {
        for (int64_t column = 0; column < columns; ++column, w += 4) {
          sums[column] += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
        }
      }
    }
  }
}

const ProductKernel kPlain{"plain", CpuIsa::kBaseline, 16, 16, 4, 1, four_rows, plain_tile};

}  // namespace

std::vector<ProductKernel> product_kernels() {
  std::vector<ProductKernel> kernels;
  for (const ProductKernel& kernel : vector_product_kernels()) {
    if (may_use(kernel.isa)) kernels.push_back(kernel);
  }
  kernels.push_back(kPlain);
  return kernels;
}

const ProductKernel& product_kernel() {
  static const ProductKernel fastest = product_kernels().front();
  return fastest;
}

}  // namespace ptq::runtime::integer
