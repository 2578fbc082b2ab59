#include "passes/rounding/column_quantizer.h"

#include <ATen/ops/zeros_like.h>

#include "passes/rounding/weight_rows.h"
#include "ptq/base/error.h"
#include "quant/element_params.h"

namespace ptq::passes {
namespace {

std::vector<float> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

ColumnQuantizer::ColumnQuantizer(const ir::Op& op, const quant::QuantizerTable& table)
    : quantizer_(table.at(ir::weighted(op)->weight_quantizer)) {
  const at::Tensor& scale = table.scale_of(ir::weighted(op)->weight_quantizer).value;
  const bool is_asymmetric = quantizer_.symmetry == quant::Symmetry::kAsymmetric;
  if (!scale.defined() || (is_asymmetric && !quantizer_.zero_point.defined())) {
    throw InternalError(quantizer_.layer + ": the scale of its weight is not known yet");
  }
  scales_ = grid_of(op, scale);
  zero_points_ = grid_of(op, is_asymmetric ? quantizer_.zero_point : at::zeros_like(scale));
}

ColumnQuantizer::Grid ColumnQuantizer::grid_of(const ir::Op& op, const at::Tensor& values) const {
  const at::Tensor& weight = ir::weighted(op)->weight.value;
  const int64_t groups = groups_of(op);
  const int64_t outputs = weight.size(ir::output_channel_axis(op));
  const bool is_transposed = std::holds_alternative<ir::ConvTranspose>(op);
  const int64_t rows = is_transposed ? outputs : outputs / groups;
  switch (quantizer_.granularity) {
    case quant::Granularity::kPerTensor:
      return {numbers(values.expand({rows})), 0, 0};
    case quant::Granularity::kPerChannel:
      return {numbers(values), is_transposed ? 0 : rows, 0};
    default:
      break;
  }
  const int64_t axis = quantizer_.axis < 0 ? quantizer_.axis + weight.dim() : quantizer_.axis;
  const at::Tensor everywhere =
      values.repeat_interleave(quantizer_.group_size, axis).narrow(axis, 0, weight.size(axis));
  const at::Tensor by_column = weight_rows(op, everywhere).transpose(1, 2);
  return {numbers(by_column), by_column.size(1) * rows, rows};
}

void ColumnQuantizer::quantize(int64_t group, int64_t column, int64_t first, int64_t count,
                               const float* in, float* out) const {
  const float* const scale = at(scales_, group, column) + first;
  const float* const zero_point = at(zero_points_, group, column) + first;
  for (int64_t i = 0; i < count; ++i) {
    const auto params = quant::element_params(quantizer_, scale[i], zero_point[i]);
    out[i] = std::visit([&](const auto& p) { return quant::fake_quantize(in[i], p); }, params);
  }
}

}  // namespace ptq::passes
