#include "passes/rounding/inverse_factor.h"

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "passes/rounding/add_scaled.h"
#include "passes/rounding/double_products.h"

namespace ptq::passes {
namespace {

/// Rows that are treated together; what lies before or behind them enters by products.
constexpr int64_t kFactorBlock = 64;
/// Columns of a triangle that are multiplied together.
constexpr int64_t kColumns = 512;

/// Calls work(begin, end) for stretches of columns.
template <class Work>
void over_columns(int64_t begin, int64_t end, Work&& work) {
  at::parallel_for(begin, end, 256, std::forward<Work>(work));
}

/// The transposed rows 0 .. end of columns begin .. end.
at::Tensor transposed(const Matrix& m, int64_t begin, int64_t end) {
  at::Tensor result = at::zeros({end - begin, begin}, at::kDouble);
  const Matrix to = matrix_of(result);
  for (int64_t k = 0; k < begin; ++k) {
    for (int64_t i = begin; i < end; ++i) to.row(i - begin)[k] = m.row(k)[i];
  }
  return result;
}

/// Rows begin .. end of R, whose columns from `begin` on hold what is left of the matrix.
bool factor_rows(const Matrix& m, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    double* const row = m.row(i);
    for (int64_t k = begin; k < i; ++k) add_scaled(row + i, m.row(k) + i, -m.row(k)[i], end - i);
    if (!(row[i] > 0) || !std::isfinite(row[i])) return false;
    const double pivot = std::sqrt(row[i]);
    for (int64_t j = i; j < end; ++j) row[j] /= pivot;
  }
  over_columns(end, m.columns, [&](int64_t first, int64_t last) {
    for (int64_t i = begin; i < end; ++i) {
      double* const row = m.row(i);
      for (int64_t k = begin; k < i; ++k) {
        add_scaled(row + first, m.row(k) + first, -m.row(k)[i], last - first);
      }
      for (int64_t j = first; j < last; ++j) row[j] /= row[i];
    }
  });
  return true;
}

/// The upper triangle of `m` becomes R with Rᵀ R = m.
bool factor(const Matrix& m) {
  for (int64_t begin = 0; begin < m.rows; begin += kFactorBlock) {
    const int64_t end = std::min(begin + kFactorBlock, m.rows);
    if (begin > 0) {
      const at::Tensor left = transposed(m, begin, end);
      add_product(m.part(begin, end, begin, m.columns), matrix_of(left),
                  m.part(0, begin, begin, m.columns), -1);
    }
    if (!factor_rows(m, begin, end)) return false;
  }
  return true;
}

/// `rows` = the rows of R times what is below them of the inverse, columns from `end` on.
at::Tensor times_inverse(const Matrix& m, int64_t begin, int64_t end) {
  at::Tensor rows = at::zeros({end - begin, m.columns - end}, at::kDouble);
  for (int64_t first = end; first < m.columns; first += kColumns) {
    const int64_t last = std::min(first + kColumns, m.columns);
    add_product(matrix_of(rows).part(0, end - begin, first - end, last - end),
                m.part(begin, end, end, last), m.part(end, last, first, last), 1);
  }
  return rows;
}

/// Rows begin .. end of the inverse, given those below.
void invert_rows(const Matrix& m, int64_t begin, int64_t end) {
  const at::Tensor product = times_inverse(m, begin, end);
  const Matrix rows = matrix_of(product);
  over_columns(0, rows.columns, [&](int64_t first, int64_t last) {
    for (int64_t i = end - 1; i >= begin; --i) {
      double* const row = m.row(i) + end;
      for (int64_t j = first; j < last; ++j) row[j] = -rows.row(i - begin)[j];
      for (int64_t k = i + 1; k < end; ++k) {
        add_scaled(row + first, m.row(k) + end + first, -m.row(i)[k], last - first);
      }
      for (int64_t j = first; j < last; ++j) row[j] /= m.row(i)[i];
    }
  });
  for (int64_t i = end - 1; i >= begin; --i) {
    std::vector<double> inverse(static_cast<size_t>(end - i), 0.0);
    inverse[0] = 1;
    for (int64_t k = i + 1; k < end; ++k) {
      add_scaled(&inverse[static_cast<size_t>(k - i)], m.row(k) + k, -m.row(i)[k], end - k);
    }
    const double pivot = m.row(i)[i];
    for (int64_t j = i; j < end; ++j) m.row(i)[j] = inverse[static_cast<size_t>(j - i)] / pivot;
  }
}

}  // namespace

std::optional<at::Tensor> inverse_factor(const at::Tensor& matrix) {
  const at::Tensor turned = matrix.flip({0, 1}).contiguous();
  const Matrix m = matrix_of(turned);
  if (!factor(m)) return std::nullopt;
  for (int64_t i = 0; i < m.rows; ++i) std::fill(m.row(i), m.row(i) + i, 0.0);
  const int64_t blocks = (m.rows + kFactorBlock - 1) / kFactorBlock;
  for (int64_t block = blocks - 1; block >= 0; --block) {
    invert_rows(m, block * kFactorBlock, std::min((block + 1) * kFactorBlock, m.rows));
  }
  return turned.t().flip({0, 1});
}

}  // namespace ptq::passes
