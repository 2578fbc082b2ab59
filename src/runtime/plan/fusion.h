#pragma once

#include <unordered_set>
#include <vector>

#include "runtime/plan/plan_graph.h"

/// Which nodes become one step. Deciding only: nothing is built or changed here.
namespace ptq::runtime {

/// A node and the elementwise nodes that run on its output before that leaves the caches. Each but
/// the last is read only by the next one.
struct Group {
  const ir::Node* anchor = nullptr;
  std::vector<const ir::Node*> tail;

  const ir::Node& last() const { return tail.empty() ? *anchor : *tail.back(); }
};

/// One value in, perhaps a second operand, the same operation on every element; batch
/// normalization counts, with a factor and a summand a channel, and fake quantization whose scale
/// is known and the same for all elements.
bool is_elementwise(const ir::Node& node, const quant::QuantizerTable& table);

/// Groups in an order in which they can run. Values in `kept` must come out of a step as they are.
std::vector<Group> decide_fusion(PlanGraph& plan, const std::unordered_set<ir::ValueId>& kept);

}  // namespace ptq::runtime
