#include "ptq/quant/quantizer.h"

#include <cmath>

namespace ptq::quant {

double IntegerFormat::quant_min() const {
  if (!is_signed) return 0;
  return -std::ldexp(1.0, bit_width - 1) + (narrow_range ? 1 : 0);
}

double IntegerFormat::quant_max() const {
  if (is_signed) return std::ldexp(1.0, bit_width - 1) - 1;
  return std::ldexp(1.0, bit_width) - (narrow_range ? 2 : 1);
}

double IntegerFormat::threshold_divisor() const {
  return is_signed && !narrow_range ? std::ldexp(1.0, bit_width - 1) : quant_max();
}

ir::QuantizerId QuantizerTable::add(Quantizer quantizer) {
  scales.push_back({quantizer.format.threshold_divisor(), {}});
  quantizer.scale = static_cast<ScaleId>(scales.size() - 1);
  quantizers.push_back(std::move(quantizer));
  return static_cast<ir::QuantizerId>(quantizers.size() - 1);
}

ir::QuantizerId QuantizerTable::add_sharing_scale(Quantizer quantizer, ir::QuantizerId other) {
  quantizer.scale = at(other).scale;
  quantizers.push_back(std::move(quantizer));
  return static_cast<ir::QuantizerId>(quantizers.size() - 1);
}

}  // namespace ptq::quant
