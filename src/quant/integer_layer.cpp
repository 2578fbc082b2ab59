#include <ATen/ops/zeros.h>

#include "quant/integer_arithmetic.h"
#include "quant/layer_integers.h"

namespace ptq::quant {
namespace {

constexpr double kAccumulatorLimit = 2147483648.0;

/// [output channels, everything that is summed], float64.
at::Tensor rows_of(const ir::Op& op, const at::Tensor& weight) {
  const auto* transposed = std::get_if<ir::ConvTranspose>(&op);
  if (transposed == nullptr) return weight.reshape({weight.size(0), -1});
  const int64_t groups = transposed->groups;
  return weight.reshape({groups, weight.size(0) / groups, weight.size(1), -1})
      .permute({0, 2, 1, 3})
      .reshape({groups * weight.size(1), -1});
}

/// The largest |sum| of any output channel, in float64, which holds it exactly. Padding adds zeros.
double largest_sum(const at::Tensor& rows, const std::vector<int32_t>& bias,
                   const ByteFormat& input) {
  const double low = input.smallest() - input.zero(), high = input.largest() - input.zero();
  const at::Tensor positive = rows.clamp_min(0).sum(1), negative = rows.clamp_max(0).sum(1);
  at::Tensor most = positive.mul(high).add(negative.mul(low));
  at::Tensor least = positive.mul(low).add(negative.mul(high));
  if (!bias.empty()) {
    at::Tensor codes = at::zeros({static_cast<int64_t>(bias.size())}, at::kDouble);
    for (size_t i = 0; i < bias.size(); ++i) codes.data_ptr<double>()[i] = bias[i];
    most = most.add(codes), least = least.add(codes);
  }
  return std::max(most.max().item<double>(), -least.min().item<double>());
}

/// One value an output channel.
template <class Number>
std::vector<Number> by_channel(const at::Tensor& values, int64_t channels) {
  const at::Tensor all = values.reshape({-1}).expand({channels}).contiguous();
  return {all.data_ptr<Number>(), all.data_ptr<Number>() + channels};
}

/// Why the weight has no integer codes of one scale an output channel; empty if it has.
std::string obstacle(const ir::Node& layer, const QuantizerTable& table) {
  const ir::QuantizerId id = ir::weighted(layer.op)->weight_quantizer;
  if (id == ir::kNoQuantizer) return "its weight is not quantized";
  const Quantizer& quantizer = table.at(id);
  if (quantizer.integer() == nullptr) return "its weight is minifloats";
  if (quantizer.integer()->bit_width > 8) return "its weight has more than 8 bits";
  if (quantizer.granularity == Granularity::kPerGroup) return "its weight has scales of groups";
  const int64_t rank = ir::weighted(layer.op)->weight.value.dim();
  const int64_t axis = (quantizer.axis + rank) % rank;
  if (quantizer.granularity == Granularity::kPerChannel &&
      axis != ir::output_channel_axis(layer.op)) {
    return "the scales of its weight are not those of output channels";
  }
  return "";
}

}  // namespace

std::variant<IntegerLayer, std::string> integer_layer(const ir::Index& index, const ir::Node& layer,
                                                      const QuantizerTable& table,
                                                      const ByteFormat& input) {
  const std::string why = obstacle(layer, table);
  if (!why.empty()) return why;
  const ir::Weighted& weighted = *ir::weighted(layer.op);
  const IntegerTensor weight = integer_weight(layer, table);
  if (weight.zero_point.defined() && weight.zero_point.is_floating_point()) {
    return "the zero points of its weight are not whole numbers";
  }
  const auto* transposed = layer.as<ir::ConvTranspose>();
  const int64_t channels = weighted.weight.value.size(ir::output_channel_axis(layer.op)) *
                           (transposed == nullptr ? 1 : transposed->groups);
  if (transposed != nullptr && transposed->groups > 1 && weight.scale.numel() > 1) {
    return "groups of a transposed convolution share scales";
  }
  IntegerLayer result;
  const int shift = weight.codes.scalar_type() == at::kByte ? 128 : 0;
  result.weight = weight.codes.to(at::kInt).sub(shift).to(at::kChar).contiguous();
  at::Tensor rows = weight.codes.to(at::kDouble);
  if (weight.zero_point.defined()) {
    rows = rows.sub(weight.zero_point);
    result.weight_zero = by_channel<int32_t>(weight.zero_point.to(at::kInt).sub(shift), channels);
  } else if (shift != 0) {
    result.weight_zero.assign(static_cast<size_t>(channels), -shift);
  }
  result.scale = by_channel<float>(weight.scale.mul(input.params.scale), channels);
  if (weighted.bias && weighted.bias_quantizer != ir::kNoQuantizer) {
    result.bias = by_channel<int32_t>(integer_bias(index, layer, table).codes, channels);
  } else if (weighted.bias) {
    result.float_bias = weighted.bias->value.to(at::kFloat).contiguous();
  }
  if (largest_sum(rows_of(layer.op, rows), result.bias, input) >= kAccumulatorLimit) {
    return "its sums do not fit 32 bits";
  }
  return result;
}

}  // namespace ptq::quant
