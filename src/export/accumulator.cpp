#include "export/accumulator.h"

#include <algorithm>

#include "quant/layer_integers.h"
#include "quant/layer_quantizers.h"

namespace ptq::exporting {
namespace {

/// [output channels, everything that is summed]. A transposed convolution stores
/// [in, out / groups, k...].
at::Tensor summed_rows(const ir::Op& op, const at::Tensor& weight) {
  const auto* transposed = std::get_if<ir::ConvTranspose>(&op);
  if (transposed == nullptr) return weight.reshape({weight.size(0), -1});
  const int64_t groups = transposed->groups;
  const int64_t outputs = weight.size(1);
  return weight.reshape({groups, weight.size(0) / groups, outputs, -1})
      .permute({0, 2, 1, 3})
      .reshape({groups * outputs, -1});
}

/// Sums lie between these, one entry an output channel; exact, since float64 holds integers of 53
/// bits.
struct Sums {
  at::Tensor low, high;

  int bits() const {
    const double lowest = low.min().item<double>();
    const double highest = high.max().item<double>();
    int bits = 1;
    for (double half = 1; lowest < -half || highest > half - 1; half *= 2) ++bits;
    return bits;
  }
  /// The bias may come first or last.
  Sums with(const at::Tensor& bias) const {
    const at::Tensor codes = bias.to(at::kDouble);
    return {low.add(codes.clamp_max(0)), high.add(codes.clamp_min(0))};
  }
};

struct InputRange {
  double low = 0;
  double high = 0;
};

/// What the weight is multiplied with: codes without their zero point. Padding adds zeros.
InputRange input_range(const quant::Quantizer& quantizer) {
  const bool is_symmetric = quantizer.symmetry == quant::Symmetry::kSymmetric;
  const double zero_point = is_symmetric ? 0 : quantizer.zero_point.item<double>();
  const quant::IntegerFormat& format = *quantizer.integer();
  return {std::min(0.0, format.quant_min() - zero_point),
          std::max(0.0, format.quant_max() - zero_point)};
}

Sums sums_of(const at::Tensor& rows, const InputRange& input) {
  const at::Tensor positive = rows.clamp_min(0).sum(1);
  const at::Tensor negative = rows.clamp_max(0).sum(1);
  return {positive.mul(input.low).add(negative.mul(input.high)),
          positive.mul(input.high).add(negative.mul(input.low))};
}

bool is_whole(const quant::IntegerTensor& weight) {
  return !weight.zero_point.defined() || !weight.zero_point.is_floating_point();
}

}  // namespace

std::optional<LayerBits> accumulator_of(const ir::Index& index, const ir::Node& layer,
                                        const quant::QuantizerTable& table) {
  const ir::Weighted* weighted = ir::weighted(layer.op);
  if (weighted == nullptr || weighted->weight_quantizer == ir::kNoQuantizer) return std::nullopt;
  const ir::QuantizerId input = quant::input_quantizer(index, layer);
  if (input == ir::kNoQuantizer) return std::nullopt;
  const quant::IntegerTensor weight = quant::integer_weight(layer, table);
  if (!is_whole(weight)) return std::nullopt;
  at::Tensor codes = weight.codes.to(at::kDouble);
  if (weight.zero_point.defined()) codes = codes.sub(weight.zero_point);
  const Sums sums = sums_of(summed_rows(layer.op, codes), input_range(table.at(input)));
  const bool adds_codes = weighted->bias && weighted->bias_quantizer != ir::kNoQuantizer;
  const int bits = sums.bits();
  return LayerBits{
      layer.name, quant::bit_width(table.at(weighted->weight_quantizer).format),
      quant::bit_width(table.at(input).format), bits,
      adds_codes ? sums.with(quant::integer_bias(index, layer, table).codes).bits() : bits};
}

}  // namespace ptq::exporting
