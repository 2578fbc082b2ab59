#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/passes/region_reports.h"

/// Channel splitting makes two channels of one, each with half the weight, so that the largest
/// weights take less of a tensor's range (reference-contract 6.10; Zhao et al. 2019,
/// https://arxiv.org/abs/1901.09504).
namespace ptq::passes {

/// kOutput: the layers that make a value halve the rows of their weights, biases too; those that
/// read it read both halves with the weights they have. kInput: the layers that read it halve the
/// columns of theirs; those that make it make the same channel twice.
enum class Side { kOutput, kInput };

struct SplittingReport {
  /// Values, with all that must have the same channels, that grew.
  std::vector<SplitRegion> regions;
  /// Channels added to them in all.
  int64_t channels = 0;
  std::vector<RejectedRegion> rejected;
};

struct SplittingOptions {
  /// Share of the channels of each layer that is split, rounded up: those of its largest |weight|.
  /// In [0, 1]; 0 leaves the network as it is. Where several layers share a region, what any of
  /// them would split is split.
  double ratio = 0;
  Side side = Side::kOutput;
  /// Told what the pass of the preparation did, where set.
  std::function<void(const SplittingReport&)> on_report;
};

/// For graphs without quantizers. Copies stand behind the channels there were. Keeps the network's
/// function within rounding; a second call splits again. Normalizations, grouped convolutions, the
/// inputs of nn.MultiheadAttention, concats, and values multiplied channel by channel are left
/// alone.
SplittingReport split_channels(ir::Graph& graph, const SplittingOptions& options);

}  // namespace ptq::passes
