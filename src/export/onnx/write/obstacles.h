#pragma once

#include "ptq/ir/graph.h"

namespace ptq::exporting {

/// Throws ExportError naming the first node whose operation the writer cannot say in ONNX: adaptive
/// pools of three dimensions, operators that nobody lowered, reshapes of more than one extent that
/// grows with the batch.
void check_onnx_operations(const ir::Graph& graph);

}  // namespace ptq::exporting
