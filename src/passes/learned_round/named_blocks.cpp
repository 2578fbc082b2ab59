#include <algorithm>
#include <regex>
#include <set>
#include <unordered_set>

#include "base/pattern.h"
#include "passes/learned_round/blocks.h"
#include "passes/learned_round/segments.h"
#include "ptq/base/error.h"
#include "ptq/base/invalid_option.h"

namespace ptq::passes {
namespace {

std::regex compiled(const std::string& regex) {
  if (auto compiled_regex = compile_pattern(regex)) return *compiled_regex;
  throw InvalidOption("learned_round.block_name",
                      "it is no regular expression, or too long or nested too deep",
                      regex.substr(0, 100));
}

/// The name of the outermost module around `node` whose own name `regex` finds; empty if none.
std::string block_of(const ir::Node& node, const std::regex& regex) {
  size_t begin = 0;
  while (begin <= node.name.size()) {
    const size_t end = std::min(node.name.find('.', begin), node.name.size());
    if (std::regex_search(node.name.substr(begin, end - begin), regex)) {
      return node.name.substr(0, end);
    }
    begin = end + 1;
  }
  return "";
}

using NodeSet = std::unordered_set<const ir::Node*>;

/// `members` and what lies on a way from one of them to another.
std::vector<ir::Node*> closed(ir::Graph& graph, const ir::Index& index, const NodeSet& members) {
  NodeSet below;
  for (const ir::Node& node : graph.nodes) {
    const bool follows =
        std::any_of(node.inputs.begin(), node.inputs.end(),
                    [&](ir::ValueId input) { return below.count(index.producer(input)) > 0; });
    if (follows || members.count(&node) > 0) below.insert(&node);
  }
  NodeSet above;
  std::vector<ir::Node*> nodes;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const std::vector<ir::Node*>& users = index.users(node->output());
    const bool leads = std::any_of(users.begin(), users.end(),
                                   [&](const ir::Node* user) { return above.count(user) > 0; });
    if (!leads && members.count(&*node) == 0) continue;
    above.insert(&*node);
    if (below.count(&*node) > 0) nodes.push_back(&*node);
  }
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

/// Throws ConfigError if the block does not read one value and make one.
runtime::SweepUnit unit_of_nodes(const std::string& name, std::vector<ir::Node*> nodes,
                                 const ir::Index& index, const std::vector<bool>& depends) {
  const NodeSet inside(nodes.begin(), nodes.end());
  std::set<ir::ValueId> inputs;
  std::set<ir::ValueId> outputs;
  for (const ir::Node* node : nodes) {
    for (const ir::ValueId input : node->inputs) {
      const bool is_outside = inside.count(index.producer(input)) == 0;
      if (is_outside && depends[static_cast<size_t>(input)]) inputs.insert(input);
    }
    const std::vector<ir::Node*>& users = index.users(node->output());
    const bool is_read_outside = index.is_graph_output(node->output()) ||
                                 std::any_of(users.begin(), users.end(), [&](const ir::Node* user) {
                                   return inside.count(user) == 0;
                                 });
    if (is_read_outside) outputs.insert(node->output());
  }
  if (inputs.size() != 1 || outputs.size() != 1) {
    throw InvalidOption("learned_round.block_name",
                        name + " reads " + std::to_string(inputs.size()) + " values and produces " +
                            std::to_string(outputs.size()) +
                            ", but a block reads one and produces one");
  }
  return {std::move(nodes), *inputs.begin(), *outputs.begin()};
}

struct NamedNodes {
  std::string name;
  NodeSet nodes;
};

std::vector<NamedNodes> nodes_by_block(const ir::Graph& graph, const std::regex& pattern,
                                       const std::vector<bool>& depends) {
  std::vector<NamedNodes> blocks;
  for (const ir::Node& node : graph.nodes) {
    const std::string name = block_of(node, pattern);
    if (name.empty() || !depends[static_cast<size_t>(node.output())]) continue;
    auto found = std::find_if(blocks.begin(), blocks.end(),
                              [&](const NamedNodes& block) { return block.name == name; });
    if (found == blocks.end()) found = blocks.insert(blocks.end(), NamedNodes{name, {}});
    found->nodes.insert(&node);
  }
  return blocks;
}

}  // namespace

std::vector<runtime::SweepUnit> named_blocks(ir::Graph& graph, const std::string& regex) {
  const ir::Index index(graph);
  const std::vector<bool> depends = depends_on_images(graph);
  std::vector<runtime::SweepUnit> blocks;
  NodeSet taken;
  for (const NamedNodes& block : nodes_by_block(graph, compiled(regex), depends)) {
    const bool is_rounded_somewhere =
        std::any_of(block.nodes.begin(), block.nodes.end(),
                    [](const ir::Node* node) { return is_rounded(*node); });
    if (!is_rounded_somewhere) continue;
    blocks.push_back(unit_of_nodes(block.name, closed(graph, index, block.nodes), index, depends));
    for (const ir::Node* node : blocks.back().nodes) {
      if (taken.insert(node).second) continue;
      throw InvalidOption("learned_round.block_name", block.name + " overlaps with another");
    }
  }
  return blocks.empty() ? blocks : with_single_layers(graph, std::move(blocks));
}

}  // namespace ptq::passes
