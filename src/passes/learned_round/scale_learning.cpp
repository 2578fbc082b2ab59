#include "passes/learned_round/scale_learning.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "quant/bias_range.h"
#include "quant/layer_quantizers.h"

namespace ptq::passes {

ScaleLearning::ScaleLearning(quant::QuantizerTable& table, std::vector<quant::ScaleId> scales,
                             std::vector<double> least)
    : table_(table),
      scales_(std::move(scales)),
      least_(std::move(least)),
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
    table_.scales[static_cast<size_t>(scales_[i])].value =
        values_[i].mul(factor).clamp_min(least_[i]);
  }
}

void ScaleLearning::restore() {
  for (size_t i = 0; i < scales_.size(); ++i) {
    table_.scales[static_cast<size_t>(scales_[i])].value = values_[i];
  }
}

std::vector<double> least_for_biases(QuantizedNetwork& network,
                                     const std::vector<quant::ScaleId>& scales) {
  const quant::QuantizerTable& table = network.table;
  std::vector<double> least(scales.size(), 0);
  const ir::Index index(network.graph);
  for (const ir::Node& node : network.graph.nodes) {
    if (ir::weighted(node.op) == nullptr) continue;
    const ir::QuantizerId in = quant::input_quantizer(index, node);
    if (in == ir::kNoQuantizer) continue;
    const auto found = std::find(scales.begin(), scales.end(), table.at(in).scale);
    if (found == scales.end()) continue;
    double& own = least[static_cast<size_t>(found - scales.begin())];
    own = std::max(own, quant::least_input_scale(index, node, table));
  }
  return least;
}

}  // namespace ptq::passes
