#include "passes/rounding/column_rounding.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>

#include "passes/rounding/add_scaled.h"
#include "passes/rounding/double_products.h"

namespace ptq::passes {
namespace {

at::Tensor index_of(const std::vector<int64_t>& order) { return at::tensor(order, at::kLong); }

/// The rows first .. first + n - 1 of the layer's weight, as a matrix of their own.
class Sweep {
 public:
  Sweep(const ColumnProblem& problem, const std::vector<int64_t>& columns, const at::Tensor& factor,
        int64_t first, at::Tensor weight)
      : problem_(problem),
        columns_(columns),
        factor_(factor),
        first_(first),
        weight_(std::move(weight)),
        errors_(at::empty({kColumnBlock, weight_.size(1)}, at::kDouble)) {}

  void run() {
    const int64_t count = weight_.size(0);
    for (int64_t begin = 0; begin < count; begin += kColumnBlock) {
      const int64_t end = std::min(begin + kColumnBlock, count);
      for (int64_t i = begin; i < end; ++i) round(i, begin, end);
      if (end == count) break;
      const at::Tensor spread = factor_.narrow(0, begin, end - begin).narrow(1, end, count - end);
      add_product(matrix_of(weight_.narrow(0, end, count - end)),
                  matrix_of(spread.t().contiguous()), matrix_of(errors_.narrow(0, 0, end - begin)),
                  -1);
    }
  }

 private:
  void round(int64_t i, int64_t begin, int64_t end) {
    const int64_t rows = weight_.size(1);
    double* const own = weight_.data_ptr<double>() + i * rows;
    double* const error = errors_.data_ptr<double>() + (i - begin) * rows;
    const double* const spread = factor_.data_ptr<double>() + i * factor_.stride(0);
    std::vector<float> values(own, own + rows), rounded(values.size());
    round_column(problem_, columns_[static_cast<size_t>(i)], first_, rows, values.data(),
                 rounded.data());
    for (size_t j = 0; j < values.size(); ++j) {
      error[j] = (static_cast<double>(values[j]) - rounded[j]) / spread[i];
      own[j] = rounded[j];
    }
    for (int64_t k = i + 1; k < end; ++k) {
      add_scaled(weight_.data_ptr<double>() + k * rows, error, -spread[k], rows);
    }
  }

  const ColumnProblem& problem_;
  const std::vector<int64_t>& columns_;
  const at::Tensor& factor_;
  int64_t first_;
  at::Tensor weight_, errors_;
};

}  // namespace

std::vector<int64_t> order_columns(ColumnProblem& problem) {
  const at::Tensor diagonal = problem.hessian.diagonal().contiguous();
  const double* const inputs = diagonal.data_ptr<double>();
  std::vector<int64_t> order(static_cast<size_t>(diagonal.numel()));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (const int64_t column : order) {
    if (inputs[column] == 0) problem.weight.select(0, column).zero_();
  }
  if (problem.act_order) {
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return inputs[a] > inputs[b]; });
  }
  return order;
}

at::Tensor in_order(const at::Tensor& matrix, const std::vector<int64_t>& order) {
  if (std::is_sorted(order.begin(), order.end())) return matrix;
  const at::Tensor index = index_of(order);
  return matrix.index_select(0, index).index_select(1, index);
}

at::Tensor rows_in_order(const at::Tensor& weight, const std::vector<int64_t>& order) {
  return weight.index_select(0, index_of(order));
}

void write_rows(at::Tensor& weight, const std::vector<int64_t>& order, const at::Tensor& ordered) {
  weight.index_copy_(0, index_of(order), ordered);
}

void round_column(const ColumnProblem& problem, int64_t column, int64_t first, int64_t count,
                  float* values, float* rounded) {
  if (problem.bound != nullptr) problem.bound->limit(column, first, count, values);
  problem.quantizer->quantize(problem.group, column, first, count, values, rounded);
  if (problem.bound != nullptr) problem.bound->record(column, first, count, rounded);
}

void diffuse_errors(const ColumnProblem& problem, const std::vector<int64_t>& columns,
                    const at::Tensor& factor, at::Tensor& weight) {
  at::parallel_for(0, weight.size(1), kFewestRows, [&](int64_t first, int64_t last) {
    at::Tensor part = weight.narrow(1, first, last - first);
    const at::Tensor own = part.to(at::kDouble).contiguous();
    Sweep(problem, columns, factor, first, own).run();
    part.copy_(own);
  });
}

}  // namespace ptq::passes
