#pragma once

#include <ATen/core/Tensor.h>

#include "ptq/passes/learned_round.h"

namespace ptq::passes {

/// Steps of one tensor of rounding variables. Adam has the usual constants: decay 0.9 and 0.999,
/// epsilon 1e-8, moments corrected for their start (https://arxiv.org/abs/1412.6980, algorithm 1).
/// Sign SGD moves by the learning rate against the sign of the gradient.
class RoundOptimizer {
 public:
  RoundOptimizer(RoundingOptimizer kind, int64_t variables);

  /// Changes `v` in place; both are contiguous float32 of that many variables.
  void step(at::Tensor& v, const at::Tensor& gradient, double learning_rate);

 private:
  RoundingOptimizer kind_;
  at::Tensor mean_;
  at::Tensor square_;
  int64_t steps_ = 0;
};

}  // namespace ptq::passes
