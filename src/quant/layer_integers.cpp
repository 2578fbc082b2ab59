#include "quant/layer_integers.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/round.h>

#include <limits>

#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "quant/layer_quantizers.h"

namespace ptq::quant {
namespace {

template <class Integer>
bool holds(const IntegerFormat& format) {
  return format.quant_min() >= std::numeric_limits<Integer>::min() &&
         format.quant_max() <= std::numeric_limits<Integer>::max();
}

/// Per-channel values along `axis` of a tensor of `dims` dimensions; a scalar stays one.
at::Tensor along_axis(const at::Tensor& values, int64_t dims, int64_t axis) {
  if (values.dim() == 0) return values;
  std::vector<int64_t> shape(static_cast<size_t>(dims), 1);
  shape.at(static_cast<size_t>(axis)) = values.numel();
  return values.reshape(shape);
}

}  // namespace

at::ScalarType container(const IntegerFormat& format) {
  if (holds<int8_t>(format)) return at::kChar;
  if (holds<uint8_t>(format)) return at::kByte;
  return holds<int16_t>(format) ? at::kShort : at::kInt;
}

at::Tensor whole_if_possible(const at::Tensor& zero_point) {
  if (!zero_point.defined()) return zero_point;
  return at::equal(zero_point, zero_point.round()) ? zero_point.to(at::kInt) : zero_point;
}

IntegerTensor integer_weight(const ir::Node& layer, const QuantizerTable& table) {
  const ir::Weighted& weighted = *ir::weighted(layer.op);
  const Quantizer& quantizer = table.at(weighted.weight_quantizer);
  if (quantizer.integer() == nullptr || quantizer.granularity == Granularity::kPerGroup) {
    throw InternalError(layer.name + ": its weight is not integers with a scale a channel");
  }
  const at::Tensor& weight = weighted.weight.value;
  const int64_t axis = quantizer.axis < 0 ? quantizer.axis + weight.dim() : quantizer.axis;
  const auto placed = [&](const at::Tensor& values) {
    return values.defined() ? along_axis(values, weight.dim(), axis) : values;
  };
  const at::Tensor codes = quantize_weight(weight, table, weighted.weight_quantizer);
  const bool is_symmetric = quantizer.symmetry == Symmetry::kSymmetric;
  return {codes.to(container(*quantizer.integer())).contiguous(),
          placed(table.scale_of(weighted.weight_quantizer).value),
          is_symmetric ? at::Tensor() : placed(whole_if_possible(quantizer.zero_point))};
}

// The largest code, 2^31 - 1, is 2^31 in float32; as an integer it saturates, and dequantized it is
// 2^31 again.
IntegerTensor integer_bias(const ir::Index& index, const ir::Node& layer,
                           const QuantizerTable& table) {
  const ir::Weighted& weighted = *ir::weighted(layer.op);
  const IntegerFormat& format = *table.at(weighted.bias_quantizer).integer();
  const at::Tensor scale = bias_scale(index, layer, table);
  const at::Tensor codes = at::round(weighted.bias->value.div(scale))
                               .clamp(format.quant_min(), format.quant_max())
                               .to(at::kLong)
                               .clamp_max(std::numeric_limits<int32_t>::max());
  return {codes.to(at::kInt), scale, {}};
}

}  // namespace ptq::quant
