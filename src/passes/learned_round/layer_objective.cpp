#include "passes/learned_round/layer_objective.h"

#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

#include "base/ordered_sum.h"
#include "runtime/gemm.h"

namespace ptq::passes {

at::Tensor mean_output(const at::Tensor& weight, const at::Tensor& mean) {
  return weight.mul(mean.unsqueeze(1)).sum(2);
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

LayerMoments centred(const LayerMoments& moments, const InputMeans& about,
                     const at::Tensor& weight) {
  const auto outer = [](const at::Tensor& a, const at::Tensor& b) {
    return a.unsqueeze(2).mul(b.unsqueeze(1));
  };
  // E[(x - a)(y - b)^T] = E[x y^T] - (E[x] - a) b^T - a E[y]^T.
  const InputMeans& means = moments.means;
  const at::Tensor left = means.quantized.sub(about.quantized);
  LayerMoments result = moments;
  result.h =
      moments.h.sub(outer(left, about.quantized)).sub(outer(about.quantized, means.quantized));
  result.g = moments.g.sub(outer(left, about.original)).sub(outer(about.quantized, means.original));
  const at::Tensor output = mean_output(weight, about.original);
  result.energy -= sum_of_products(output, mean_output(weight, means.original).mul(2).sub(output));
  return result;
}

MomentsObjective::MomentsObjective(const at::Tensor& weight, const LayerMoments& moments)
    : h_(moments.h),
      offset_(at::zeros_like(weight)),
      quantized_mean_(moments.means.quantized),
      mean_offset_(mean_output(weight, moments.means.quantized.sub(moments.means.original))) {
  const at::Tensor& g = moments.g;
  add_products(offset_, weight, h_.sub(g.transpose(1, 2)));
  // W H W^T - 2 W G W^T + W F W^T, F the moment of x: its first two terms are W (H - G) W^T and
  // - W G W^T, and the last one is the energy.
  at::Tensor with_cross = at::zeros_like(weight);
  add_products(with_cross, weight, g.transpose(1, 2).contiguous());
  constant_ = std::max(
      0.0, sum_of_products(weight, offset_) + moments.energy - sum_of_products(weight, with_cross));
}

at::Tensor MomentsObjective::half_gradient(const at::Tensor& change) {
  at::Tensor sum = offset_.clone();
  add_products(sum, change, h_);
  return sum;
}

double MomentsObjective::error(const at::Tensor& change) {
  return sum_of_products(change, half_gradient(change).add(offset_)) + constant_;
}

at::Tensor MomentsObjective::mean_error(const at::Tensor& change) const {
  return mean_output(change, quantized_mean_).add(mean_offset_);
}

ColumnsObjective::ColumnsObjective(const at::Tensor& weight, at::Tensor quantized,
                                   at::Tensor original, MeanError mean)
    : quantized_(std::move(quantized)), quantized_mean_(quantized_.mean(0)) {
  const at::Tensor original_mean = original.mean(0);
  mean_offset_ = mean_output(weight, quantized_mean_.sub(original_mean).unsqueeze(0));
  if (mean == MeanError::kLeftToBias) {
    quantized_ = quantized_.sub(quantized_mean_);
    original = original.sub(original_mean);
  }
  offset_ = runtime::product(quantized_.sub(original), weight.select(0, 0).t());
}

at::Tensor ColumnsObjective::mean_error(const at::Tensor& change) const {
  return mean_output(change, quantized_mean_.unsqueeze(0)).add(mean_offset_);
}

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

at::Tensor ColumnsObjective::mean_squares() const {
  return quantized_.square().mean(0).unsqueeze(0);
}

double ColumnsObjective::error(const at::Tensor& change) {
  const at::Tensor e = difference(change);
  return sum_of_products(e, e) / static_cast<double>(quantized_.size(0));
}

}  // namespace ptq::passes
