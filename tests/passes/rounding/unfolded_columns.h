#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>

#include "passes/rounding/weight_rows.h"
#include "runtime/execute_op.h"

namespace ptq::passes::testing {

/// The unfolded input [groups, K, n] of a layer, float64: what comes out of it with a weight of
/// ones and zeros.
inline at::Tensor unfolded_columns(const ir::Op& op, const at::Tensor& input) {
  const at::Tensor rows = weight_rows(op, ir::weighted(op)->weight.value);
  const int64_t groups = rows.size(0), depth = rows.size(2);
  ir::Op picking = op;
  ir::weighted(picking)->bias.reset();
  at::Tensor& weight = ir::weighted(picking)->weight.value;
  std::vector<int64_t> sizes = weight.sizes().vec();
  const bool is_transposed = std::holds_alternative<ir::ConvTranspose>(op);
  sizes[is_transposed ? 1 : 0] = is_transposed ? depth : groups * depth;
  weight = at::zeros(sizes);
  weight = weight_of_rows(picking, at::eye(depth).repeat({groups, 1, 1}));
  const at::Tensor out = runtime::execute_op(picking, {input}, input.size(0)).to(at::kDouble);
  if (std::holds_alternative<ir::Linear>(op)) return out.reshape({-1, depth}).t().unsqueeze(0);
  return out.reshape({input.size(0), groups, depth, -1})
      .permute({1, 2, 0, 3})
      .reshape({groups, depth, -1});
}

}  // namespace ptq::passes::testing
