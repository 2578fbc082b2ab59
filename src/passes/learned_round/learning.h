#pragma once

#include <vector>

#include "passes/learned_round/round_optimizer.h"
#include "passes/learned_round/rounding_variables.h"

namespace ptq::passes {

/// The share of a learning rate in force at step t, counted from 1.
double rate_share(const LearnedRoundOptions& options, int64_t t);

/// The rounding of one weight while it is learned: variables, and the optimizer that moves them.
class RoundedWeight {
 public:
  RoundedWeight(const at::Tensor& weight, const quant::QuantizerTable& table,
                ir::QuantizerId quantizer, const LearnedRoundOptions& options);

  const RoundingVariables& variables() const { return variables_; }

  /// Step t, from 1, down the loss whose derivative by the weight is given.
  void step(const at::Tensor& by_weight, int64_t t);

  /// Share of weights that do not have the nearest code.
  double moved() const;

 private:
  const LearnedRoundOptions& options_;
  RoundingVariables variables_;
  RoundOptimizer optimizer_;
};

}  // namespace ptq::passes
