#pragma once

#include <unordered_set>
#include <vector>

#include "ptq/ir/graph.h"

/// Which nodes become one step. Deciding only: nothing is built or changed here.
namespace ptq::runtime {

/// A node and the elementwise nodes that run on its output before that leaves the caches. Each but
/// the last is read by the next one alone.
struct Group {
  const ir::Node* anchor = nullptr;
  std::vector<const ir::Node*> tail;

  const ir::Node& last() const { return tail.empty() ? *anchor : *tail.back(); }
};

/// One value in, perhaps a second operand, the same operation on every element; batch
/// normalization counts, with a factor and a summand a channel.
bool is_elementwise(const ir::Node& node);

/// Groups in an order in which they can run. Values in `kept` must come out of a step as they are.
std::vector<Group> decide_fusion(ir::Graph& graph, const std::unordered_set<ir::ValueId>& kept);

}  // namespace ptq::runtime
