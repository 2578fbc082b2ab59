#pragma once

#include <cstdint>

#include "passes/learned_round/regulariser.h"
#include "ptq/passes/learned_round.h"

namespace ptq::passes {

/// A stretch of the tensors of RoundingVariables.
struct RoundingElements {
  const float* base;
  const float* v;
  const float* scale;
  const float* zero_point;
  int64_t count;
  float code_min;
  float code_max;
};

/// Weights while they are learned.
void soft_weights(RoundingFunction function, const RoundingElements& elements, float* weight);

/// Weights with every rounding decided: up where h(v) > 1/2.
void decided_weights(RoundingFunction function, const RoundingElements& elements, float* weight);

/// Derivatives by v from those by the weight, and of the regulariser, which linear rounding does
/// without: its h is not a fraction of a step. Codes that clip have no derivative.
void rounding_gradient(RoundingFunction function, const RoundingElements& elements,
                       const float* by_weight, const Regulariser& regulariser, float* by_v);

}  // namespace ptq::passes
