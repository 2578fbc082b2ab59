#include "passes/learned_round/learning.h"

namespace ptq::passes {

double rate_share(const LearnedRoundOptions& options, int64_t t) {
  return options.schedule == LearningRate::kLinear ? linear_share(t, options.iterations) : 1;
}

RoundedWeight::RoundedWeight(const at::Tensor& weight, const quant::QuantizerTable& table,
                             ir::QuantizerId quantizer, const LearnedRoundOptions& options)
    : options_(options),
      variables_(weight, table, quantizer, options.function),
      optimizer_(options.optimizer, weight.numel()) {}

void RoundedWeight::step(const at::Tensor& by_weight, int64_t t) {
  const Regulariser regulariser = options_.loss == RoundingLoss::kRegularisedMse
                                      ? regulariser_at(t, options_.iterations)
                                      : Regulariser{};
  optimizer_.step(variables_.v(), variables_.gradient(by_weight, regulariser),
                  options_.learning_rate * rate_share(options_, t));
}

double RoundedWeight::moved() const {
  // Both come from the same codes, so that what is equal is equal up to rounding.
  const at::Tensor distance = variables_.decided().sub(variables_.nearest()).abs();
  const at::Tensor bound = variables_.nearest().abs().mul(1e-5).add(1e-12);
  return distance.gt(bound).sum().item<double>() / static_cast<double>(distance.numel());
}

}  // namespace ptq::passes
