#include <ATen/ops/mv.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <random>

#include "passes/rounding/column_rounding.h"
#include "passes/rounding/double_products.h"
#include "passes/rounding/inverse_factor.h"

// In float64 up to the last sweep: the damping is so small that float32 would not do for inputs
// that depend on each other.
namespace ptq::passes {
namespace {

constexpr int kPowerIterations = 30;

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor c = at::zeros({a.size(0), b.size(1)}, at::kDouble);
  add_product(matrix_of(c), matrix_of(a), matrix_of(b), 1);
  return c;
}

/// By power iteration; the start is the same in every run.
double largest_eigenvalue(const at::Tensor& matrix) {
  constexpr double kTiny = 1e-12;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> pick(0, 1);
  std::vector<double> start(static_cast<size_t>(matrix.size(0)));
  for (double& value : start) value = pick(random);
  at::Tensor vector = at::tensor(start, at::kDouble);
  for (int i = 0; i < kPowerIterations; ++i) {
    const at::Tensor next = at::mv(matrix, vector);
    vector = next.div(next.norm().item<double>() + kTiny);
  }
  return vector.dot(at::mv(matrix, vector)).item<double>();
}

/// The first column with the best correction that the float columns behind it leave:
/// (sum over i of w°_i G_i0 - sum over j > 0 of w_j H_0j) / H_00.
at::Tensor first_column(const at::Tensor& hessian, const at::Tensor& cross,
                        const at::Tensor& weight, const at::Tensor& original) {
  const double norm = hessian[0][0].item<double>();
  if (norm == 0) return at::zeros({weight.size(1)}, at::kDouble);
  const int64_t rest = weight.size(0) - 1;
  const at::Tensor wanted = at::mv(original.t(), cross[0]);
  const at::Tensor given = at::mv(weight.narrow(0, 1, rest).t(), hessian[0].narrow(0, 1, rest));
  return wanted.sub(given).div(norm);
}

}  // namespace

bool round_by_qronos(ColumnProblem& problem) {
  const std::vector<int64_t> order = order_columns(problem);
  const at::Tensor hessian = in_order(problem.hessian, order).contiguous();
  const at::Tensor cross = in_order(problem.cross, order).contiguous();
  const at::Tensor original = rows_in_order(problem.original, order).to(at::kDouble);
  at::Tensor weight = rows_in_order(problem.weight, order);
  const int64_t rest = weight.size(0) - 1, outputs = weight.size(1);
  const double damping = problem.damping * largest_eigenvalue(hessian);
  // No input at all: order_columns has set the weights to zero.
  if (damping == 0) return true;

  const at::Tensor behind = hessian.narrow(0, 1, rest).narrow(1, 1, rest).clone();
  behind.diagonal().add_(damping);
  const auto factor = inverse_factor(behind);
  if (!factor) return false;

  at::Tensor first =
      first_column(hessian, cross, weight.to(at::kDouble), original).to(at::kFloat).contiguous();
  std::vector<float> rounded(static_cast<size_t>(outputs));
  round_column(problem, order.front(), 0, outputs, first.data_ptr<float>(), rounded.data());
  weight[0].copy_(first);
  if (rest > 0) {
    // The best of the others, given the first: A ((G + damping)ᵀ w° - H_0 q_0), A the inverse.
    at::Tensor wanted = product(cross.narrow(0, 1, rest).contiguous(), original);
    wanted.add_(original.narrow(0, 1, rest), damping);
    wanted.sub_(hessian[0]
                    .narrow(0, 1, rest)
                    .unsqueeze(1)
                    .mul(at::tensor(rounded, at::kFloat).to(at::kDouble).unsqueeze(0)));
    const at::Tensor upper = factor->contiguous();
    at::Tensor others =
        product(upper.t().contiguous(), product(upper, wanted)).to(at::kFloat).contiguous();
    diffuse_errors(problem, {order.begin() + 1, order.end()}, upper, others);
    weight.narrow(0, 1, rest).copy_(others);
  }
  write_rows(problem.weight, order, weight);
  return true;
}

}  // namespace ptq::passes
