#pragma once

#include <memory>
#include <string>

#include "export/export.h"

namespace ptq::exporting {

/// Reads an ONNX file, external data included, and computes it with ATen. It knows the operators
/// that the writer uses and nothing of the graph that was written. Throws ExportError naming the
/// file and the operator or tensor that it cannot read.
std::unique_ptr<ExportedModel> load_onnx(const std::string& path);

}  // namespace ptq::exporting
