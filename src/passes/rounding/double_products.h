#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

/// Products of float64 matrices, which neither oneDNN nor a plain BLAS computes fast.
namespace ptq::passes {

/// Rows one after the other, `stride` apart.
struct Matrix {
  double* data;
  int64_t rows, columns, stride;

  double* row(int64_t index) const { return data + index * stride; }
  Matrix part(int64_t row_begin, int64_t row_end, int64_t begin, int64_t end) const {
    return {row(row_begin) + begin, row_end - row_begin, end - begin, stride};
  }
};

/// Of a float64 tensor of two dimensions whose rows lie together; it must outlive the matrix.
Matrix matrix_of(const at::Tensor& tensor);

/// c += factor a b, over the cores of LibTorch's parallel regions. `c` overlaps neither factor.
void add_product(const Matrix& c, const Matrix& a, const Matrix& b, double factor);

}  // namespace ptq::passes
