#include "ptq/quant/quantizer.h"

#include <cmath>

namespace ptq::quant {
namespace {

/// Powers of two reach from the largest below a threshold (groups) or the smallest above it.
double power_of_two_divisor(const Quantizer& quantizer) {
  const bool per_group = quantizer.granularity == Granularity::kPerGroup;
  if (const MinifloatFormat* minifloat = quantizer.minifloat()) {
    const double largest = minifloat->largest();
    return per_group ? std::exp2(std::floor(std::log2(largest))) : largest;
  }
  const IntegerFormat& integer = *quantizer.integer();
  const int value_bits = integer.bit_width - (integer.is_signed ? 1 : 0);
  return std::ldexp(1.0, value_bits - (per_group ? 1 : 0));
}

}  // namespace

double threshold_divisor(const Quantizer& quantizer) {
  if (quantizer.scale_type == ScaleType::kPowerOfTwo) return power_of_two_divisor(quantizer);
  if (const MinifloatFormat* minifloat = quantizer.minifloat()) return minifloat->largest();
  return quantizer.integer()->threshold_divisor();
}

bool needs_calibration(const Quantizer& quantizer) {
  return quantizer.kind == QuantizerKind::kActivation && quantizer.timing == Timing::kStatic &&
         quantizer.granularity != Granularity::kPerGroup && !quantizer.truncation;
}

std::vector<int64_t> group_shape(c10::IntArrayRef sizes, int64_t axis, int64_t group_size) {
  std::vector<int64_t> shape = sizes.vec();
  int64_t& extent =
      shape.at(static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis));
  extent = (extent + group_size - 1) / group_size;
  return shape;
}

ir::QuantizerId QuantizerTable::add(Quantizer quantizer) {
  scales.push_back({threshold_divisor(quantizer), {}});
  quantizer.scale = static_cast<ScaleId>(scales.size() - 1);
  quantizers.push_back(std::move(quantizer));
  return static_cast<ir::QuantizerId>(quantizers.size() - 1);
}

ir::QuantizerId QuantizerTable::add_sharing_scale(Quantizer quantizer, ir::QuantizerId other) {
  quantizer.scale = at(other).scale;
  quantizers.push_back(std::move(quantizer));
  return static_cast<ir::QuantizerId>(quantizers.size() - 1);
}

void QuantizerTable::derive_scales() {
  for (const Quantizer& quantizer : quantizers) {
    if (!quantizer.truncation) continue;
    const Truncation& truncation = *quantizer.truncation;
    const at::Tensor fine = scale_of(truncation.of).value.div(static_cast<float>(truncation.count));
    scales.at(static_cast<size_t>(quantizer.scale)).value =
        fine.mul(std::ldexp(1.0F, truncation.dropped_bits));
  }
}

}  // namespace ptq::quant
