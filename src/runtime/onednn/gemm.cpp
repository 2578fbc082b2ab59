#include "runtime/gemm.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <dnnl.hpp>

#include "ptq/base/error.h"

namespace ptq::runtime {
namespace {

/// A matrix as sgemm takes it: 'N' for rows one after the other, 'T' for columns.
struct Operand {
  char order;
  int64_t leading;
};

Operand operand_of(const at::Tensor& matrix) {
  const int64_t rows = matrix.size(0), columns = matrix.size(1);
  // The stride of an extent of one says nothing.
  const int64_t by_row = rows <= 1 ? columns : matrix.stride(0);
  const int64_t by_column = columns <= 1 ? rows : matrix.stride(1);
  if ((columns <= 1 || matrix.stride(1) == 1) && by_row >= columns) {
    return {'N', std::max<int64_t>(1, by_row)};
  }
  if ((rows <= 1 || matrix.stride(0) == 1) && by_column >= rows) {
    return {'T', std::max<int64_t>(1, by_column)};
  }
  throw InternalError("a matrix product needs rows or columns without gaps");
}

void check(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b) {
  const bool fits = a.dim() == 2 && b.dim() == 2 && c.dim() == 2 && a.size(1) == b.size(0) &&
                    c.size(0) == a.size(0) && c.size(1) == b.size(1);
  const bool is_float = a.scalar_type() == at::kFloat && b.scalar_type() == at::kFloat &&
                        c.scalar_type() == at::kFloat;
  if (!fits || !is_float || operand_of(c).order != 'N') {
    throw InternalError("the factors of a matrix product do not fit");
  }
}

}  // namespace

void add_product(at::Tensor& c, const at::Tensor& a, const at::Tensor& b, float alpha, float beta) {
  check(c, a, b);
  if (c.numel() == 0) return;
  if (a.size(1) == 0) {
    // Memory that nobody wrote may hold NaN, which times 0 is NaN.
    beta == 0 ? c.zero_() : c.mul_(beta);
    return;
  }
  const Operand first = operand_of(a), second = operand_of(b);
  const dnnl::status status =
      dnnl::sgemm(first.order, second.order, c.size(0), c.size(1), a.size(1), alpha,
                  a.data_ptr<float>(), first.leading, b.data_ptr<float>(), second.leading, beta,
                  c.data_ptr<float>(), operand_of(c).leading);
  if (status != dnnl::status::success) throw InternalError("oneDNN refuses a matrix product");
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor c = at::empty({a.size(0), b.size(1)}, a.options());
  add_product(c, a, b, 1, 0);
  return c;
}

}  // namespace ptq::runtime
