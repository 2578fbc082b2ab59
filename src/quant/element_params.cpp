#include "quant/element_params.h"

#include <cmath>

#include "ptq/base/error.h"

namespace ptq::quant {
namespace {

void require(bool condition, const Quantizer& quantizer, const char* what) {
  if (!condition) throw InternalError(quantizer.layer + ": " + what);
}

/// Formats outside have numbers that float32 lacks.
void check_minifloat(const Quantizer& quantizer, const MinifloatFormat& format) {
  require(format.exponent_bit_width >= 1 && format.exponent_bit_width <= 7, quantizer,
          "a minifloat has 1 to 7 exponent bits");
  require(format.mantissa_bit_width >= 0 && format.mantissa_bit_width <= 20, quantizer,
          "a minifloat has 0 to 20 mantissa bits");
  require(quantizer.symmetry == Symmetry::kSymmetric, quantizer, "minifloats are symmetric");
}

}  // namespace

void check_quantizer(const Quantizer& quantizer) {
  if (const MinifloatFormat* minifloat = quantizer.minifloat()) {
    check_minifloat(quantizer, *minifloat);
  }
  const bool is_power_of_two = quantizer.scale_type == ScaleType::kPowerOfTwo;
  const bool is_per_group = quantizer.granularity == Granularity::kPerGroup;
  require(quantizer.symmetry == Symmetry::kSymmetric || !is_signed(quantizer.format), quantizer,
          "asymmetric quantizers are unsigned");
  require(is_power_of_two || !is_per_group || quantizer.kind == QuantizerKind::kWeight, quantizer,
          "scales of activation groups are powers of two");
  require(!is_per_group || quantizer.group_size > 0, quantizer, "a group has at least one element");
  require(!quantizer.truncation ||
              (quantizer.is_static_per_tensor() && quantizer.integer() != nullptr &&
               quantizer.symmetry == Symmetry::kSymmetric),
          quantizer, "codes are truncated with one static scale, without zero point");
  if (quantizer.calibration == Calibration::kHqo) {
    require(quantizer.kind == QuantizerKind::kWeight && quantizer.integer() != nullptr &&
                !is_power_of_two,
            quantizer, "HQO is for integer weights with float scales");
  }
}

ElementParams element_params(const Quantizer& quantizer, float scale, float zero_point) {
  if (const MinifloatFormat* minifloat = quantizer.minifloat()) {
    return MinifloatParams{scale, minifloat->mantissa_bit_width, minifloat->smallest_exponent(),
                           static_cast<float>(minifloat->largest())};
  }
  const IntegerFormat& integer = *quantizer.integer();
  if (quantizer.truncation) {
    const float step = std::ldexp(1.0F, quantizer.truncation->dropped_bits);
    return TruncatingParams{scale / step, step, static_cast<float>(integer.quant_min()),
                            static_cast<float>(integer.quant_max())};
  }
  return QParams{scale, zero_point, static_cast<float>(integer.quant_min()),
                 static_cast<float>(integer.quant_max())};
}

}  // namespace ptq::quant
