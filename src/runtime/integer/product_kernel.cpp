#include "runtime/integer/product_kernel.h"

#include <algorithm>

#include "runtime/integer/product_kernels.h"

namespace ptq::runtime::integer {
namespace {

int64_t four_rows(int64_t /*columns*/) { return 4; }

/// Plain C++, for processors without a kernel of their own.
void plain_tile(const void* rows, int64_t row_bytes, int64_t count, const void* panel,
                int64_t depth_steps, int64_t columns, int32_t* sums) {
  for (int64_t row = 0; row < count; ++row) {
    const uint8_t* x = static_cast<const uint8_t*>(rows) + row * row_bytes;
    const auto* w = static_cast<const int8_t*>(panel);
    int32_t* out = sums + row * columns;
    std::fill_n(out, columns, 0);
    for (int64_t step = 0; step < depth_steps; ++step, x += 4) {
      for (int64_t column = 0; column < columns; ++column, w += 4) {
        out[column] += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
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
