#pragma once

#include <vector>

#include "passes/calibration/batch_statistics.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"
#include "quant/statistics.h"

namespace ptq::passes {

/// The plain means over all batches: thresholds by scale, zero points by quantizer
/// (reference-contract 3.5).
class ThresholdMeans {
 public:
  explicit ThresholdMeans(const quant::QuantizerTable& table);

  /// What a batch says about the quantizer of `node`, a FakeQuantize, by channel. Throws
  /// QuantizationError naming the node where it is not finite.
  void add(const ir::Node& node, const BatchStatistics::Thresholds& found);

  /// Writes scales, then the zero points that depend on them. Quantizers that nothing uses keep a
  /// threshold of 1, as in the reference.
  void write(quant::QuantizerTable& table) const;

 private:
  /// Of the channels that have a scale each, or a single one.
  using RunningMeans = std::vector<quant::RunningMean>;

  const quant::QuantizerTable& table_;
  std::vector<RunningMeans> thresholds_;
  std::vector<RunningMeans> zero_points_;
};

}  // namespace ptq::passes
