#pragma once

#include <ATen/core/Tensor.h>

#include "passes/learned_round/layer_objective.h"
#include "ptq/passes/learned_round.h"
#include "ptq/quant/quantizer.h"

namespace ptq::passes {

/// A weight whose rounding was learned, and errors as RoundedUnit has them.
struct LearnedWeight {
  at::Tensor weight;
  double error_before = 0;
  double error_after = 0;
  double moved = 0;
  /// By output channel: the mean of what its output is too large by.
  at::Tensor mean_error;
};

/// Learns the rounding of the weight of `layer`, a Conv, ConvTranspose or Linear.
LearnedWeight learn_layer(const ir::Op& layer, LayerObjective& objective,
                          const quant::QuantizerTable& table, const LearnedRoundOptions& options);

}  // namespace ptq::passes
