#pragma once

#include <string>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/passes/equalize.h"
#include "ptq/passes/split_channels.h"

namespace ptq::passes {

/// kDefault: for fx and layerwise. kFlexml: average pools of fixed windows in place of adaptive
/// ones (reference-contract 4.2).
enum class Preparation { kDefault, kFlexml };

struct PreparationOptions {
  bool merge_batch_norm = true;
  Preparation preparation = Preparation::kDefault;
  /// Off where it has no iterations.
  EqualizationOptions equalization = {};
  /// Off where its ratio is 0.
  SplittingOptions splitting = {};
};

/// What one pass did.
struct PassReport {
  std::string name;
  /// Sites changed.
  int changes = 0;
  double milliseconds = 0;
};

/// Makes an imported graph ready for placement (reference-contract 4.1, 4.2): the passes in order,
/// each verified. Everything but ReLU6 -> ReLU keeps the network's function.
std::vector<PassReport> prepare(ir::Graph& graph, const PreparationOptions& options);

}  // namespace ptq::passes
