#include "export/onnx_obstacles.h"

#include <algorithm>

#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

const ir::Dims& shape_of(const ir::Graph& graph, ir::ValueId value) {
  return graph.values[static_cast<size_t>(value)].shape;
}

/// Whether every extent that is pooled is a whole multiple of the output's.
bool has_equal_windows(const ir::Dims& in, const ir::Ints& out) {
  if (out == ir::Ints(out.size(), 1)) return true;
  for (size_t i = 0; i < out.size(); ++i) {
    const ir::Dim& extent = in[in.size() - out.size() + i];
    if (extent.times_batch || extent.value % out[i] != 0) return false;
  }
  return true;
}

/// Why the node cannot be written; empty if it can.
std::string obstacle(const ir::Graph& graph, const ir::Node& node) {
  if (const auto* pool = node.as<ir::AdaptiveAvgPool>()) {
    if (!has_equal_windows(shape_of(graph, node.inputs[0]), pool->output_size)) {
      return "its windows differ in size, and ONNX has no adaptive pool";
    }
  }
  if (node.is<ir::Reshape>()) {
    const ir::Dims& to = shape_of(graph, node.output());
    const auto grows = [](const ir::Dim& dim) { return dim.times_batch; };
    if (std::count_if(to.begin(), to.end(), grows) > 1) {
      return "more than one extent of its output grows with the batch";
    }
  }
  return "";
}

}  // namespace

void check_onnx_operations(const ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes) {
    const std::string reason = obstacle(graph, node);
    if (reason.empty()) continue;
    throw ExportError("ONNX cannot express " + node.name + " (" +
                      std::string(ir::op_name(node.op)) + "): " + reason);
  }
}

}  // namespace ptq::exporting
