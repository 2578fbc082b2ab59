#include <unordered_set>

#include "ptq/base/error.h"
#include "ptq/ir/graph.h"

namespace ptq::ir {
namespace {

[[noreturn]] void broken(const Node& node, const std::string& what) {
  throw InternalError(node.name + ": " + what);
}

void check_value(const Graph& graph, const Node& node, ValueId value) {
  if (value < 0 || static_cast<size_t>(value) >= graph.values.size()) {
    broken(node, "value %" + std::to_string(value) + " does not exist");
  }
}

}  // namespace

void verify(const Graph& graph) {
  std::unordered_set<ValueId> known{graph.input};
  std::unordered_set<std::string> names;
  for (const Node& node : graph.nodes) {
    if (!names.insert(node.name).second) broken(node, "two nodes have this name");
    for (ValueId value : node.inputs) {
      check_value(graph, node, value);
      if (known.count(value) == 0) {
        broken(node, "reads %" + std::to_string(value) + " before it is produced");
      }
    }
    if (node.outputs.size() != 1) broken(node, "does not have exactly one output");
    check_value(graph, node, node.output());
    if (!known.insert(node.output()).second) broken(node, "produces a value that exists");
  }
  if (known.count(graph.output) == 0) throw InternalError("nothing produces the graph's output");
}

}  // namespace ptq::ir
