#include "quant/scale_of_threshold.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/qparams.h"
#include "quant/statistics.h"

namespace ptq::quant {

float power_of_two_above(float x) { return std::exp2(std::ceil(std::log2(x))); }

float power_of_two_below(float x) {
  if (!std::isfinite(x)) return x;
  uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof(bits));
  bits &= 0x7F800000U;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

float scale_of_threshold(float threshold, const Quantizer& quantizer) {
  const auto divisor = static_cast<float>(threshold_divisor(quantizer));
  const float clamped = threshold < kSmallestScale ? kSmallestScale : threshold;
  if (quantizer.scale_type == ScaleType::kFloat) return clamped / divisor;
  return (quantizer.granularity == Granularity::kPerGroup ? power_of_two_below(clamped)
                                                          : power_of_two_above(clamped)) /
         divisor;
}

float zero_point_of(float zero, float scale, const IntegerFormat& format) {
  const QParams params{scale, 0, static_cast<float>(format.quant_min()),
                       static_cast<float>(format.quant_max())};
  return quantize(std::abs(zero), params);
}

}  // namespace ptq::quant
