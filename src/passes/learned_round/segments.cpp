#include "passes/learned_round/segments.h"

#include <algorithm>
#include <limits>
#include <set>

namespace ptq::passes {
namespace {

/// By value: number of the last node that reads it.
std::vector<size_t> last_reads(const ir::Graph& graph) {
  std::vector<size_t> last(graph.values.size(), 0);
  size_t number = 0;
  for (const ir::Node& node : graph.nodes) {
    ++number;
    for (const ir::ValueId input : node.inputs) last[static_cast<size_t>(input)] = number;
  }
  last[static_cast<size_t>(graph.output)] = std::numeric_limits<size_t>::max();
  return last;
}

}  // namespace

std::vector<bool> depends_on_images(const ir::Graph& graph) {
  std::vector<bool> depends(graph.values.size(), false);
  depends[static_cast<size_t>(graph.input)] = true;
  for (const ir::Node& node : graph.nodes) {
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ir::ValueId input) {
      return depends[static_cast<size_t>(input)];
    });
    for (const ir::ValueId output : node.outputs) depends[static_cast<size_t>(output)] = any;
  }
  return depends;
}

std::vector<Segment> segments_of(ir::Graph& graph) {
  const std::vector<bool> depends = depends_on_images(graph);
  const std::vector<size_t> last = last_reads(graph);
  std::vector<Segment> segments;
  std::set<ir::ValueId> live{graph.input};
  Segment open;
  open.input = graph.input;
  size_t number = 0;
  for (ir::Node& node : graph.nodes) {
    ++number;
    if (!depends[static_cast<size_t>(node.output())]) continue;
    open.nodes.push_back(&node);
    for (const ir::ValueId input : node.inputs) {
      if (last[static_cast<size_t>(input)] <= number) live.erase(input);
    }
    for (const ir::ValueId output : node.outputs) {
      if (last[static_cast<size_t>(output)] > number) live.insert(output);
    }
    if (live.size() != 1 || *live.begin() == open.input) continue;
    open.output = *live.begin();
    segments.push_back(open);
    open = Segment{{}, open.output, 0};
  }
  return segments;
}

}  // namespace ptq::passes
