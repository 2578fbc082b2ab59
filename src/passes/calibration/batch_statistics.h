#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ptq/passes/calibrate.h"
#include "quant/activation_statistic.h"

namespace ptq::passes {

/// The statistics of one batch at every FakeQuantize node whose scale calibration finds. Lanes
/// observe at the same time, each into statistics of its own.
class BatchStatistics {
 public:
  /// Refers to graph and table, and to the options.
  BatchStatistics(NetworkView network, const CalibrationOptions& options);

  bool empty() const { return sites_.empty(); }
  void start_batch(int64_t images);
  /// How often the batch has to be seen.
  int passes() const { return passes_; }
  void start_pass(int pass);
  void end_pass(int pass);

  /// Values may come in any dense layout: a statistic does not depend on their order.
  void observe(const ir::Node& node, const at::Tensor& value, int lane);

  /// One a channel, or a single one.
  using Thresholds = std::vector<quant::ActivationThreshold>;
  /// Results in execution order: the mean of a shared scale rounds in that order.
  void each(const std::function<void(const ir::Node&, const Thresholds&)>& visit);

 private:
  /// By channel, where channels have scales of their own.
  using Statistics = std::vector<std::unique_ptr<quant::ActivationStatistic>>;
  struct Site {
    const ir::Node* node = nullptr;
    ir::Dims shape;
    /// Of the channels, if each has a scale.
    std::optional<int64_t> channel_axis;
    Statistics merged;
    std::vector<Statistics> lanes;
  };

  const quant::QuantizerTable& table_;
  const CalibrationOptions& options_;
  std::vector<Site> sites_;
  std::unordered_map<const ir::Node*, size_t> index_;
  int passes_ = 0;
};

}  // namespace ptq::passes
