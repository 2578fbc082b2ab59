#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/runtime/executor.h"

namespace ptq::runtime {

/// The part of a network that a plan has to compute for every image.
struct PlanGraph {
  /// That of the network, which outlives this.
  const quant::QuantizerTable& table;
  ir::Graph graph = {};
  /// Values that do not depend on the images, computed once, by value; undefined elsewhere.
  std::vector<at::Tensor> constants = {};
  /// Nodes of the original graph whose first input is this value and which an observer is to see.
  std::unordered_map<ir::ValueId, std::vector<const ir::Node*>> observed = {};

  bool is_constant(ir::ValueId value) const {
    return constants[static_cast<size_t>(value)].defined();
  }
  std::unordered_set<ir::ValueId> observed_values() const;
  /// The same values and output, without a node and without an observer.
  PlanGraph without_nodes() const;
};

/// In kFloat FakeQuantize nodes disappear. Throws ExecutionError naming a node that fails.
PlanGraph prepare_plan_graph(NetworkView original, const ExecutorOptions& options);

/// `action()`, with what it throws turned into an ExecutionError that names `node`.
void run_named(const std::string& node, const std::function<void()>& action);

}  // namespace ptq::runtime
