#include "passes/pass.h"

namespace ptq::passes {

bool is_relu6(const ir::Node& node) {
  const auto* relu6 = node.as<ir::Relu6>();
  return relu6 != nullptr && !relu6->ceiling;
}

int Relu6ToRelu::run(ir::Graph& graph) const {
  int changes = 0;
  for (ir::Node& node : graph.nodes) {
    if (!is_relu6(node)) continue;
    node.op = ir::Relu{};
    ++changes;
  }
  return changes;
}

}  // namespace ptq::passes
