#pragma once

#include "quant/fake_quantize.h"

namespace ptq::quant {

/// What the equations need of one scale of `quantizer`.
ElementParams element_params(const Quantizer& quantizer, float scale, float zero_point);

/// Throws InternalError, naming the layer, if the fields of `quantizer` contradict one another or
/// the tables of reference-contract 2.3.
void check_quantizer(const Quantizer& quantizer);

}  // namespace ptq::quant
