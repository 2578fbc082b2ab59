#include "ptq/quant/format.h"

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

int MinifloatFormat::exponent_bias() const { return (1 << (exponent_bit_width - 1)) - 1; }

int MinifloatFormat::smallest_exponent() const { return 1 - exponent_bias() - mantissa_bit_width; }

double MinifloatFormat::largest() const {
  const int top_exponent = (1 << exponent_bit_width) - 1 - exponent_bias();
  const double last_step = std::ldexp(1.0, -mantissa_bit_width);
  const bool is_ocp = codes == Codes::kOcp;
  if (is_ocp && exponent_bit_width == 4 && mantissa_bit_width == 3) {
    return std::ldexp(2.0 - 2 * last_step, top_exponent);
  }
  if (is_ocp && exponent_bit_width == 5 && mantissa_bit_width == 2) {
    return std::ldexp(2.0 - last_step, top_exponent - 1);
  }
  return std::ldexp(2.0 - last_step, top_exponent);
}

int bit_width(const NumberFormat& format) {
  if (const auto* integer = std::get_if<IntegerFormat>(&format)) return integer->bit_width;
  return std::get<MinifloatFormat>(format).bit_width();
}

bool is_signed(const NumberFormat& format) {
  const auto* integer = std::get_if<IntegerFormat>(&format);
  return integer == nullptr || integer->is_signed;
}

}  // namespace ptq::quant
