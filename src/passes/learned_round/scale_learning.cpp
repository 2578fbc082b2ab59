#include "passes/learned_round/scale_learning.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <utility>

namespace ptq::passes {

ScaleLearning::ScaleLearning(quant::QuantizerTable& table, std::vector<quant::ScaleId> scales)
    : table_(table),
      scales_(std::move(scales)),
      logs_(at::zeros({static_cast<int64_t>(scales_.size())})),
      optimizer_(RoundingOptimizer::kAdam, logs_.numel()) {
  for (const quant::ScaleId scale : scales_) {
    values_.push_back(table.scales.at(static_cast<size_t>(scale)).value);
  }
}

void ScaleLearning::step(const std::vector<double>& by_logs, double learning_rate) {
  at::Tensor gradient = at::empty_like(logs_);
  for (size_t i = 0; i < by_logs.size(); ++i) {
    gradient.data_ptr<float>()[i] = static_cast<float>(by_logs[i]);
  }
  optimizer_.step(logs_, gradient, learning_rate);
  for (size_t i = 0; i < scales_.size(); ++i) {
    const double factor = std::exp(double{logs_.data_ptr<float>()[i]});
    table_.scales[static_cast<size_t>(scales_[i])].value = values_[i].mul(factor);
  }
}

void ScaleLearning::restore() {
  for (size_t i = 0; i < scales_.size(); ++i) {
    table_.scales[static_cast<size_t>(scales_[i])].value = values_[i];
  }
}

}  // namespace ptq::passes
