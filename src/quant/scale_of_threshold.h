#pragma once

#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// 2^ceil(log2 x), log2 in float32, x > 0 (reference-contract 3.6).
float power_of_two_above(float x);
/// 2^floor(log2 x), exact for x >= 2^-126; NaN and infinity stay.
float power_of_two_below(float x);

/// Scale of a threshold: max(threshold, 1e-10), to a power of two if the quantizer asks for it
/// (groups: the one below, else the one above), divided by threshold_divisor().
float scale_of_threshold(float threshold, const Quantizer& quantizer);

/// z = clamp(round(|zero| / s), quant_min, quant_max).
float zero_point_of(float zero, float scale, const IntegerFormat& format);

}  // namespace ptq::quant
