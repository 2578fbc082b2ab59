#include "passes/learned_round/layer_objective.h"

#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

#include "ptq/runtime/gemm.h"

namespace ptq::passes {

double sum_of_products(const at::Tensor& a, const at::Tensor& b) {
  return a.mul(b).sum(at::kDouble).item<double>();
}

void add_products(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b) {
  constexpr int64_t kWorthAProduct = 4096;
  if (a.size(0) > 1 && b.size(1) * b.size(2) < kWorthAProduct) {
    sum.baddbmm_(a, b);
    return;
  }
  for (int64_t group = 0; group < a.size(0); ++group) {
    at::Tensor part = sum.select(0, group);
    runtime::add_product(part, a.select(0, group), b.select(0, group));
  }
}

MomentsObjective::MomentsObjective(const at::Tensor& weight, at::Tensor h, const at::Tensor& g,
                                   double energy)
    : h_(std::move(h)), offset_(at::zeros_like(weight)) {
  add_products(offset_, weight, h_.sub(g.transpose(1, 2)));
  // W H W^T - 2 W G W^T + W F W^T, F the moment of x: its first two terms are W (H - G) W^T and
  // - W G W^T, and the last one is the energy.
  at::Tensor with_cross = at::zeros_like(weight);
  add_products(with_cross, weight, g.transpose(1, 2).contiguous());
  constant_ = std::max(
      0.0, sum_of_products(weight, offset_) + energy - sum_of_products(weight, with_cross));
}

at::Tensor MomentsObjective::half_gradient(const at::Tensor& change) {
  at::Tensor sum = offset_.clone();
  add_products(sum, change, h_);
  return sum;
}

double MomentsObjective::error(const at::Tensor& change) {
  return sum_of_products(change, half_gradient(change).add(offset_)) + constant_;
}

ColumnsObjective::ColumnsObjective(const at::Tensor& weight, at::Tensor quantized,
                                   const at::Tensor& original)
    : quantized_(std::move(quantized)),
      offset_(runtime::product(quantized_.sub(original), weight.select(0, 0).t())) {}

at::Tensor ColumnsObjective::difference(const at::Tensor& change) const {
  at::Tensor e = offset_.clone();
  runtime::add_product(e, quantized_, change.select(0, 0).t());
  return e;
}

at::Tensor ColumnsObjective::half_gradient(const at::Tensor& change) {
  const at::Tensor e = difference(change);
  return runtime::product(e.t(), quantized_)
      .div_(static_cast<double>(quantized_.size(0)))
      .unsqueeze(0);
}

double ColumnsObjective::error(const at::Tensor& change) {
  const at::Tensor e = difference(change);
  return sum_of_products(e, e) / static_cast<double>(quantized_.size(0));
}

}  // namespace ptq::passes
