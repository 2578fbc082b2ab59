#pragma once

#include <memory>
#include <string>

#include "export/export.h"

namespace ptq::parity {

enum class Optimization { kNone, kAll };

/// Why ONNX Runtime cannot be asked here, as a sentence; empty if it can. It takes `node` and npm's
/// package onnxruntime-node where run_onnx.mjs looks for it.
std::string why_no_onnx_runtime();

/// The file in ONNX Runtime, a process of node for each batch. Without optimization it gives its
/// values, else none. run() and values() throw ExportError naming the file with what ONNX Runtime
/// says.
std::unique_ptr<exporting::ExportedModel> load_in_onnx_runtime(const std::string& path,
                                                               Optimization optimization);

}  // namespace ptq::parity
