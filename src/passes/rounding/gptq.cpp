#include "passes/rounding/column_rounding.h"
#include "passes/rounding/inverse_factor.h"

namespace ptq::passes {
namespace {

constexpr double kDamping = 0.01;

}  // namespace

bool round_by_gptq(ColumnProblem& problem) {
  const std::vector<int64_t> order = order_columns(problem);
  at::Tensor hessian = in_order(problem.hessian, order).clone(at::MemoryFormat::Contiguous);
  at::Tensor diagonal = hessian.diagonal();
  diagonal.masked_fill_(diagonal.eq(0), 1);
  diagonal.add_(kDamping * diagonal.mean().item<double>());
  const auto factor = inverse_factor(hessian);
  if (!factor) return false;
  at::Tensor weight = rows_in_order(problem.weight, order);
  diffuse_errors(problem, order, factor->contiguous(), weight);
  write_rows(problem.weight, order, weight);
  return true;
}

}  // namespace ptq::passes
