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

/// Parts of at most `part` elements.
int64_t parts(int64_t size, int64_t part) { return (size + part - 1) / part; }

/// A product cut into parts that threads can take. The cut follows from the sizes alone: with a cut
/// of its own, oneDNN adds in another order on some processors for another number of threads.
struct Cut {
  /// Of the result's rows and columns in a part, and of the inner dimension's elements.
  int64_t rows, columns, depth;

  explicit Cut(int64_t m, int64_t n, int64_t k) : rows(m), columns(n), depth(k) {
    constexpr int64_t kWorthAPart = 1 << 20, kParts = 32, kMinDepth = 512;
    if (m * n * k < 2 * kWorthAPart) return;
    rows = std::min<int64_t>(m, 128);
    columns = std::min<int64_t>(n, 512);
    const int64_t tiles = parts(m, rows) * parts(n, columns);
    const int64_t pieces =
        std::min({kParts / tiles, k / kMinDepth, m * n * k / (tiles * kWorthAPart)});
    if (pieces > 1) depth = (k + pieces - 1) / pieces;
  }
};

}  // namespace

void add_product(at::Tensor& c, const at::Tensor& a, const at::Tensor& b, float alpha, float beta) {
  check(c, a, b);
  if (c.numel() == 0) return;
  const int64_t m = c.size(0), n = c.size(1), k = a.size(1);
  if (k == 0) {
    // Memory that nobody wrote may hold NaN, which times 0 is NaN.
    beta == 0 ? c.zero_() : c.mul_(beta);
    return;
  }
  const Cut cut(m, n, k);
  const int64_t down = parts(m, cut.rows), across = parts(n, cut.columns);
  const int64_t pieces = parts(k, cut.depth);
  // The first piece goes to the result, the others to sums that are added in order.
  const at::Tensor sums = at::empty({pieces - 1, m, n}, c.options());
  at::parallel_for(0, down * across * pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const int64_t piece = part % pieces, row = part / pieces / across * cut.rows;
      const int64_t column = part / pieces % across * cut.columns, inner = piece * cut.depth;
      const int64_t rows = std::min(cut.rows, m - row);
      const int64_t columns = std::min(cut.columns, n - column);
      const int64_t depth = std::min(cut.depth, k - inner);
      const at::Tensor whole = piece == 0 ? c : sums.select(0, piece - 1);
      add_alone(whole.narrow(0, row, rows).narrow(1, column, columns),
                a.narrow(0, row, rows).narrow(1, inner, depth),
                b.narrow(0, inner, depth).narrow(1, column, columns), alpha, piece == 0 ? beta : 0);
    }
  });
  for (int64_t piece = 1; piece < pieces; ++piece) c.add_(sums.select(0, piece - 1));
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor c = at::empty({a.size(0), b.size(1)}, a.options());
  add_product(c, a, b, 1, 0);
  return c;
}

}  // namespace ptq::runtime
