#include "passes/pass.h"

namespace ptq::passes {

int Relu6ToRelu::run(ir::Graph& graph) const {
  int changes = 0;
  for (ir::Node& node : graph.nodes) {
    if (!node.is<ir::Relu6>()) continue;
    node.op = ir::Relu{};
    ++changes;
  }
  return changes;
}

}  // namespace ptq::passes
