#pragma once

#include <ATen/core/Tensor.h>

#include "passes/learned_round/rounding_kernels.h"
#include "ptq/passes/learned_round.h"
#include "ptq/quant/quantizer.h"

namespace ptq::passes {

/// The rounding of one weight: a variable v an element, which says how far it is rounded up
/// (reference-contract 6.12). Scale s and zero point z stay as calibration left them.
///
///   sigmoid, hard sigmoid:  q = clamp(floor(w / s + z) + h(v))
///   linear:                 q = clamp(round(w / s + z + clip(v, -1/2, 1/2)))
///
/// and the weight is (q - z) s. All tensors have the weight's shape, contiguous.
class RoundingVariables {
 public:
  /// Begins at the weight as it is: h(v) is the fraction of w / s + z, or v is 0. Throws
  /// QuantizationError naming the layer if the quantizer's numbers are not integers.
  RoundingVariables(const at::Tensor& weight, const quant::QuantizerTable& table,
                    ir::QuantizerId quantizer, RoundingFunction function);

  /// The weight while it is learned.
  at::Tensor soft() const;
  /// The weight with every rounding decided: up where h(v) > 1/2.
  at::Tensor decided() const;
  /// The weight rounded to nearest.
  const at::Tensor& nearest() const { return nearest_; }

  /// Derivative by v of a loss whose derivative by soft() is `by_weight`, and of the regulariser.
  at::Tensor gradient(const at::Tensor& by_weight, const Regulariser& regulariser) const;

  at::Tensor& v() { return v_; }
  const at::Tensor& v() const { return v_; }

 private:
  RoundingElements elements(int64_t begin, int64_t end) const;

  RoundingFunction function_;
  float code_min_;
  float code_max_;
  at::Tensor scale_;
  at::Tensor zero_point_;
  /// floor(w / s + z), or w / s + z for linear rounding.
  at::Tensor base_;
  at::Tensor v_;
  at::Tensor nearest_;
};

}  // namespace ptq::passes
