#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "passes/rounding/add_scaled.h"
#include "passes/rounding/column_rounding.h"
#include "runtime/gemm.h"

// With columns in order, t from the first on, and w° the original weight:
//
//   v_t = G_tt / H_tt w_t + (sum over j < t of w°_j G_tj - q_j H_tj) / H_tt,   q_t = round(v_t)
//
// The sum over w° is one product, that over q one for each block of columns and the rest within it.
namespace ptq::passes {
namespace {

struct Ordered {
  at::Tensor hessian, cross;
  /// What the columns before add in the float network: tril(G, -1) w°.
  at::Tensor wanted;
  std::vector<int64_t> columns;
};

/// Some rows of the layer's weight.
class Path {
 public:
  Path(const ColumnProblem& problem, const Ordered& ordered, int64_t first, at::Tensor weight)
      : problem_(problem),
        ordered_(ordered),
        first_(first),
        weight_(std::move(weight)),
        sums_(ordered.wanted.narrow(1, first, weight_.size(1)).clone(at::MemoryFormat::Contiguous)),
        rounded_(at::empty_like(weight_)) {}

  void run() {
    const int64_t count = weight_.size(0);
    for (int64_t begin = 0; begin < count; begin += kColumnBlock) {
      const int64_t end = std::min(begin + kColumnBlock, count);
      if (begin > 0) {
        at::Tensor sums = sums_.narrow(0, begin, end - begin);
        runtime::add_product(sums,
                             ordered_.hessian.narrow(0, begin, end - begin).narrow(1, 0, begin),
                             rounded_.narrow(0, 0, begin), -1);
      }
      for (int64_t t = begin; t < end; ++t) step(t, begin);
    }
  }

 private:
  static float* row(const at::Tensor& matrix, int64_t index) {
    return matrix.data_ptr<float>() + index * matrix.stride(0);
  }

  void step(int64_t t, int64_t begin) {
    const int64_t rows = weight_.size(1);
    const float* const hessian = row(ordered_.hessian, t);
    const float norm = hessian[t], cross = row(ordered_.cross, t)[t];
    float* const sum = row(sums_, t);
    float* const weight = row(weight_, t);
    for (int64_t j = begin; j < t; ++j) add_scaled(sum, row(rounded_, j), -hessian[j], rows);
    const float own = norm * cross != 0 ? cross / norm : 0, other = norm != 0 ? 1 / norm : 0;
    for (int64_t i = 0; i < rows; ++i) weight[i] = own * weight[i] + other * sum[i];
    round_column(problem_, ordered_.columns[static_cast<size_t>(t)], first_, rows, weight,
                 row(rounded_, t));
  }

  const ColumnProblem& problem_;
  const Ordered& ordered_;
  int64_t first_;
  at::Tensor weight_, sums_, rounded_;
};

}  // namespace

void round_by_gpfq(ColumnProblem& problem) {
  Ordered ordered;
  ordered.columns = order_columns(problem);
  ordered.hessian = in_order(problem.hessian, ordered.columns).to(at::kFloat).contiguous();
  ordered.cross = in_order(problem.cross, ordered.columns).to(at::kFloat).contiguous();
  ordered.wanted =
      runtime::product(ordered.cross.tril(-1), rows_in_order(problem.original, ordered.columns));
  at::Tensor weight = rows_in_order(problem.weight, ordered.columns);
  at::parallel_for(0, weight.size(1), kFewestRows, [&](int64_t first, int64_t last) {
    at::Tensor part = weight.narrow(1, first, last - first);
    const at::Tensor own = part.clone(at::MemoryFormat::Contiguous);
    Path(problem, ordered, first, own).run();
    part.copy_(own);
  });
  write_rows(problem.weight, ordered.columns, weight);
}

}  // namespace ptq::passes
