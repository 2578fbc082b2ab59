#pragma once

#include <cstdint>

#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// Threshold of a weight's scale, and what its zero point is made of (at most 0).
struct MseSolution {
  float threshold = 0;
  float zero = 0;
};

/// Searches both for `count` weights of one scale, on the threads of at::parallel_for
/// (reference-contract 3.7): first the threshold, with the zero of the whole range, then the zero.
MseSolution mse_search(const float* weights, int64_t count, const MseSolution& range,
                       const Quantizer& quantizer);

}  // namespace ptq::quant
