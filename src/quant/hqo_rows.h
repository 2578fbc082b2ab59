#pragma once

#include <cstdint>

#include "quant/qparams.h"

/// One round of half-quadratic optimization on the weights of one scale (reference-contract 3.8),
/// on the calling thread.
namespace ptq::quant {

struct HqoRound {
  /// Sum over |fake_quantize(x) - x|.
  double error = 0;
  /// Scale, or zero of the range, for the next round; NaN if no weight has a code to say one.
  float better = 0;
};

/// better = median((x - e) / q), e = shrink(x - fake_quantize(x)) with p = 0.7. `scratch` has room
/// for as many numbers as there are weights.
HqoRound better_scale(const float* weights, int64_t count, const QParams& params,
                      float inverse_beta, int32_t* scratch);

/// better = mean((x - e) - i s), i = fake_quantize(x) / s + z, with p = 0.5.
HqoRound better_zero(const float* weights, int64_t count, const QParams& params,
                     float inverse_beta);

}  // namespace ptq::quant
