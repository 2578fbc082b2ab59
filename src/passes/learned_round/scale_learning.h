#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "passes/learned_round/round_optimizer.h"
#include "ptq/quant/quantizer.h"

namespace ptq::passes {

/// Activation scales while they are learned: s = s0 e^u with a variable u each, moved by Adam, so
/// that a step changes each scale by about the same part of it.
class ScaleLearning {
 public:
  /// Changes the values of `scales`, which are scalars, in `table`.
  ScaleLearning(quant::QuantizerTable& table, std::vector<quant::ScaleId> scales);

  /// `by_logs`: derivatives by the logarithms of the scales.
  void step(const std::vector<double>& by_logs, double learning_rate);
  /// Back to the scales it began with.
  void restore();

 private:
  quant::QuantizerTable& table_;
  std::vector<quant::ScaleId> scales_;
  /// As they were.
  std::vector<at::Tensor> values_;
  at::Tensor logs_;
  RoundOptimizer optimizer_;
};

}  // namespace ptq::passes
