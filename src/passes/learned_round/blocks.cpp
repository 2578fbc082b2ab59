#include "passes/learned_round/blocks.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace ptq::passes {
namespace {

runtime::SweepUnit unit_of_layer(ir::Node& layer) {
  return {{&layer}, layer.inputs.at(0), layer.output()};
}

}  // namespace

bool is_rounded(const ir::Node& node) {
  const ir::Weighted* layer = ir::weighted(node.op);
  return layer != nullptr && layer->weight_quantizer != ir::kNoQuantizer;
}

std::vector<runtime::SweepUnit> layer_units(ir::Graph& graph) {
  return with_single_layers(graph, {});
}

std::vector<runtime::SweepUnit> with_single_layers(ir::Graph& graph,
                                                   std::vector<runtime::SweepUnit> blocks) {
  std::unordered_set<const ir::Node*> in_blocks;
  for (const runtime::SweepUnit& block : blocks) {
    in_blocks.insert(block.nodes.begin(), block.nodes.end());
  }
  std::unordered_map<const ir::Node*, size_t> order;
  for (ir::Node& node : graph.nodes) {
    order.emplace(&node, order.size());
    if (is_rounded(node) && in_blocks.count(&node) == 0) blocks.push_back(unit_of_layer(node));
  }
  std::sort(blocks.begin(), blocks.end(), [&](const auto& a, const auto& b) {
    return order.at(a.nodes.front()) < order.at(b.nodes.front());
  });
  return blocks;
}

std::string name_of(const runtime::SweepUnit& unit) {
  std::string first;
  std::string last;
  for (const ir::Node* node : unit.nodes) {
    if (!is_rounded(*node)) continue;
    if (first.empty()) first = node->name;
    last = node->name;
  }
  return first == last ? first : first + " .. " + last;
}

}  // namespace ptq::passes
