#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "passes/learned_round/round_optimizer.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::passes {

/// Activation scales while they are learned: s = s0 e^u with a variable u each, moved by Adam, so
/// that a step changes each scale by about the same part of it.
class ScaleLearning {
 public:
  /// Changes the values of `scales`, which are scalars, in `table`. None falls below its `least`.
  ScaleLearning(quant::QuantizerTable& table, std::vector<quant::ScaleId> scales,
                std::vector<double> least);

  /// `by_logs`: derivatives by the logarithms of the scales.
  void step(const std::vector<double>& by_logs, double learning_rate);
  /// Back to the scales it began with.
  void restore();

 private:
  quant::QuantizerTable& table_;
  std::vector<quant::ScaleId> scales_;
  std::vector<double> least_;
  /// As they were.
  std::vector<at::Tensor> values_;
  at::Tensor logs_;
  RoundOptimizer optimizer_;
};

/// For each of `scales`, the least at which the biases of all layers that multiply its codes still
/// fit their bits (quant/bias_range.h); 0 where there are none.
std::vector<double> least_for_biases(QuantizedNetwork& network,
                                     const std::vector<quant::ScaleId>& scales);

}  // namespace ptq::passes
