#include "runtime/gemm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <dnnl.hpp>

#include "ptq/base/error.h"
#include "runtime/onednn/one_thread.h"

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

/// c = alpha * a b + beta * c on the calling thread. The matrices are float32 and fit.
void add_alone(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b, float alpha,
               float beta) {
  const OneThread one_thread;
  const Operand first = operand_of(a), second = operand_of(b);
  const dnnl::status status =
      dnnl::sgemm(first.order, second.order, c.size(0), c.size(1), a.size(1), alpha,
                  a.data_ptr<float>(), first.leading, b.data_ptr<float>(), second.leading, beta,
                  c.data_ptr<float>(), operand_of(c).leading);
  if (status != dnnl::status::success) throw InternalError("oneDNN refuses a matrix product");
}

/// The length of the parts that the longer side of the result is cut into, for one thread at a
/// time. It follows from the sizes alone, and the inner dimension stays whole: with a cut of its
/// own, oneDNN adds in another order on some processors for another number of threads.
int64_t part_length(int64_t m, int64_t n, int64_t k) {
  constexpr int64_t kWorthThreads = int64_t{1} << 21, kParts = 8, kVector = 16, kShortest = 32;
  const int64_t longer = std::max(m, n);
  if (m * n * k < kWorthThreads) return longer;
  const int64_t vectors = (longer + kParts * kVector - 1) / (kParts * kVector);
  return std::max(kShortest, vectors * kVector);
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
  const int64_t m = c.size(0), n = c.size(1), longer = std::max(m, n);
  const int64_t length = part_length(m, n, a.size(1));
  at::parallel_for(0, (longer + length - 1) / length, 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * length; first < std::min(end * length, longer); first += length) {
      const int64_t count = std::min(length, longer - first);
      if (m > n) {
        add_alone(c.narrow(0, first, count), a.narrow(0, first, count), b, alpha, beta);
      } else {
        add_alone(c.narrow(1, first, count), a, b.narrow(1, first, count), alpha, beta);
      }
    }
  });
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor c = at::empty({a.size(0), b.size(1)}, a.options());
  add_product(c, a, b, 1, 0);
  return c;
}

}  // namespace ptq::runtime
