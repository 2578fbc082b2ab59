#pragma once

#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::passes {

/// By value: whether it depends on the images.
std::vector<bool> depends_on_images(const ir::Graph& graph);

/// What lies between two values that everything runs through. A segment of one node is a link of a
/// chain; one of several nodes has branches, as from a split to the add or concat that joins it.
/// Nodes that do not depend on the images are in none.
struct Segment {
  std::vector<ir::Node*> nodes;
  ir::ValueId input = 0;
  ir::ValueId output = 0;

  bool is_link() const { return nodes.size() == 1; }
};

/// All of a graph, in execution order: each begins where the one before it ends.
std::vector<Segment> segments_of(ir::Graph& graph);

}  // namespace ptq::passes
