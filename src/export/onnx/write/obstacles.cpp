#include "export/onnx/write/obstacles.h"

#include <algorithm>

#include "export/onnx/write/opaque.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

const ir::Dims& shape_of(const ir::Graph& graph, ir::ValueId value) {
  return graph.values[static_cast<size_t>(value)].shape;
}

bool grows(const ir::Dim& dim) { return dim.times_batch; }

/// Why the node cannot be written; empty if it can.
std::string obstacle(const ir::Graph& graph, const ir::Node& node) {
  if (const auto* pool = node.as<ir::AdaptiveAvgPool>()) {
    const bool is_global = pool->output_size == ir::Ints(pool->output_size.size(), 1);
    if (pool->output_size.size() > 2 && !is_global) {
      return "it is an adaptive pool of three dimensions, which ONNX does not have";
    }
    const ir::Dims& in = shape_of(graph, node.inputs[0]);
    if (std::any_of(in.begin() + 1, in.end(), grows) && !is_global) {
      return "what it pools grows with the batch";
    }
  }
  if (const auto* opaque = node.as<ir::Opaque>()) {
    const bool has_input = !node.inputs.empty();
    if (!has_input || !has_onnx_form(*opaque, shape_of(graph, node.inputs[0]))) {
      return opaque->schema + " is an operator that this program only passes on to LibTorch";
    }
  }
  if (node.is<ir::Reshape>()) {
    const ir::Dims& to = shape_of(graph, node.output());
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
