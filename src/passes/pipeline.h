#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/passes/equalize.h"
#include "ptq/passes/split_channels.h"

namespace ptq::passes {

/// kDefault: for fx and layerwise. kFlexml: average pools of fixed windows in place of adaptive
/// ones (reference-contract 4.2).
enum class Preparation { kDefault, kFlexml };

/// What becomes of ReLU6. kRelu, the reference's way: a ReLU, which changes the network wherever a
/// value exceeds 6. kKeep: it stays, and equalization scales its ceiling by channel.
enum class Relu6 { kRelu, kKeep };

struct PreparationOptions {
  Relu6 relu6 = Relu6::kRelu;
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

/// Sees the graph behind every pass that changed it.
using AfterPass = std::function<void(const std::string& pass, const ir::Graph& graph)>;

/// Makes an imported graph ready for placement (reference-contract 4.1, 4.2): the passes in order,
/// each verified. Everything but ReLU6 -> ReLU is to keep the network's function, but for rounding.
std::vector<PassReport> prepare(ir::Graph& graph, const PreparationOptions& options,
                                const AfterPass& after_pass = {});

/// Whether preparation can do something to a ReLU6 of the graph.
bool has_relu6(const ir::Graph& graph);

/// The graph with ReLU in place of each ReLU6.
ir::Graph with_relu_for_relu6(ir::Graph graph);

}  // namespace ptq::passes
