#include "passes/learned_round/learn_layer.h"

#include "passes/learned_round/learning.h"
#include "passes/rounding/weight_rows.h"

namespace ptq::passes {

LearnedWeight learn_layer(const ir::Op& layer, LayerObjective& objective,
                          const quant::QuantizerTable& table, const LearnedRoundOptions& options) {
  const at::Tensor weight = ir::weighted(layer)->weight.value.contiguous();
  const at::Tensor rows = weight_rows(layer, weight);
  RoundedWeight rounded(weight, table, ir::weighted(layer)->weight_quantizer, options);
  const auto change = [&](const at::Tensor& to) { return weight_rows(layer, to).sub_(rows); };
  const auto outputs = static_cast<double>(rows.size(0) * rows.size(1));
  const double scale = options.loss == RoundingLoss::kMse ? 2 / outputs : 2;
  const at::Tensor damping = objective.mean_squares().mul(options.damping).unsqueeze(1);
  for (int64_t t = 1; t <= options.iterations; ++t) {
    const at::Tensor soft = change(rounded.variables().soft());
    const at::Tensor half = objective.half_gradient(soft).addcmul_(soft, damping);
    rounded.step(weight_of_rows(layer, half.mul(scale)), t);
  }
  const at::Tensor nearest = rounded.variables().nearest();
  const double before = objective.error(change(nearest)) / outputs;
  const at::Tensor decided = rounded.variables().decided();
  const double after = objective.error(change(decided)) / outputs;
  const auto mean_error = [&](const at::Tensor& to) {
    return objective.mean_error(change(to)).flatten();
  };
  if (after < before) return {decided, before, after, rounded.moved(), mean_error(decided)};
  return {nearest, before, before, 0, mean_error(nearest)};
}

}  // namespace ptq::passes
