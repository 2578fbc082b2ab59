#include "ptq/ir/graph.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace ptq::ir {

Node::Node() = default;
Node::Node(std::string node_name, std::string module_name, Op operation, std::vector<ValueId> read,
           std::vector<ValueId> made)
    : name(std::move(node_name)),
      module(std::move(module_name)),
      op(std::move(operation)),
      inputs(std::move(read)),
      outputs(std::move(made)) {}
Node::Node(const Node&) = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(const Node&) = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

ValueId Graph::add_value(std::string name, Dims shape) {
  values.push_back({std::move(name), std::move(shape)});
  return static_cast<ValueId>(values.size() - 1);
}

std::string Graph::unique_name(const std::string& wanted) const {
  // Of thousands of names few are alike.
  std::unordered_set<std::string_view> taken;
  for (const Node& node : nodes) {
    if (node.name.compare(0, wanted.size(), wanted) == 0) taken.insert(node.name);
  }
  if (taken.count(wanted) == 0) return wanted;
  for (int suffix = 1;; ++suffix) {
    std::string name = wanted + "_" + std::to_string(suffix);
    if (taken.count(name) == 0) return name;
  }
}

Node& Graph::insert(Position where, Node node, Dims output_shape) {
  node.name = unique_name(node.name);
  node.outputs = {add_value(node.name, std::move(output_shape))};
  return *nodes.insert(where, std::move(node));
}

void Graph::replace_uses(ValueId from, ValueId to, const std::vector<const Node*>& except) {
  for (Node& node : nodes) {
    if (std::find(except.begin(), except.end(), &node) != except.end()) continue;
    std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  }
  if (output == from) output = to;
}

Index::Index(Graph& graph)
    : producers_(graph.values.size(), nullptr), users_(graph.values.size()), output_(graph.output) {
  positions_.reserve(graph.nodes.size());
  for (auto position = graph.nodes.begin(); position != graph.nodes.end(); ++position) {
    positions_.emplace(&*position, position);
    for (ValueId value : position->outputs) producers_[static_cast<size_t>(value)] = &*position;
    for (ValueId value : position->inputs) users_[static_cast<size_t>(value)].push_back(&*position);
  }
}

void remove_dead_nodes(Graph& graph) {
  std::unordered_set<ValueId> live{graph.output};
  for (auto node = graph.nodes.end(); node != graph.nodes.begin();) {
    --node;
    const bool is_live = std::any_of(node->outputs.begin(), node->outputs.end(),
                                     [&](ValueId value) { return live.count(value) != 0; });
    if (is_live) {
      live.insert(node->inputs.begin(), node->inputs.end());
    } else {
      node = graph.nodes.erase(node);
    }
  }
}

}  // namespace ptq::ir
