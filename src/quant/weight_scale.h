#pragma once

#include <ATen/core/Tensor.h>

#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// What a weight quantizer takes from its weight. `zero_point` is undefined for symmetric ones.
struct ScaleAndZeroPoint {
  at::Tensor scale;
  at::Tensor zero_point;
};

/// Scale and zero point of `weight` (finite float32) as `quantizer` asks: per tensor [], per
/// channel [C] or per group (group_shape); float or power-of-two; from statistics
/// (reference-contract 3.3, 3.4, 3.9, 3.10), by MSE search (3.7) or by HQO (3.8). Where the
/// reference is defective (section 10, rows 20 to 22) the recommendation there is followed: HQO
/// fits every channel of a convolution on its own, blocks follow OCP's rule, MSE is active for
/// minifloat blocks.
ScaleAndZeroPoint solve_weight_scale(const at::Tensor& weight, const Quantizer& quantizer);

}  // namespace ptq::quant
