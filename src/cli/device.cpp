#include "cli/device.h"

#include "ptq/ir/tensors.h"

namespace ptq::cli {

void move_to(ir::Graph& graph, c10::Device device) {
  if (device.is_cpu()) return;
  for (ir::Node& node : graph.nodes) {
    ir::visit_tensors(node.op, [&](at::Tensor& tensor) { tensor = tensor.to(device); });
  }
}

}  // namespace ptq::cli
