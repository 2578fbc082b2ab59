#include "passes/rounding/weight_rows.h"

#include "ptq/base/error.h"

namespace ptq::passes {

int64_t groups_of(const ir::Op& op) {
  if (const auto* conv = std::get_if<ir::Conv>(&op)) return conv->groups;
  if (const auto* transposed = std::get_if<ir::ConvTranspose>(&op)) return transposed->groups;
  if (std::holds_alternative<ir::Linear>(op)) return 1;
  throw InternalError("a layer without a weight has no rows");
}

at::Tensor weight_rows(const ir::Op& op, const at::Tensor& weight) {
  const int64_t groups = groups_of(op);
  if (!std::holds_alternative<ir::ConvTranspose>(op)) {
    return weight.reshape({groups, weight.size(0) / groups, -1}).clone();
  }
  // [in, out / groups, taps] -> [groups, out / groups, in / groups * taps]
  return weight.reshape({groups, weight.size(0) / groups, weight.size(1), -1})
      .transpose(1, 2)
      .reshape({groups, weight.size(1), -1})
      .clone();
}

at::Tensor weight_of_rows(const ir::Op& op, const at::Tensor& rows) {
  const at::Tensor& weight = ir::weighted(op)->weight.value;
  if (!std::holds_alternative<ir::ConvTranspose>(op)) {
    return rows.reshape(weight.sizes()).contiguous();
  }
  const int64_t groups = groups_of(op);
  return rows.reshape({groups, weight.size(1), weight.size(0) / groups, -1})
      .transpose(1, 2)
      .reshape(weight.sizes())
      .contiguous();
}

}  // namespace ptq::passes
