#pragma once

#include <memory>
#include <string>

#include "ptq/export/export.h"

namespace ptq::cli {

enum class Optimization { kNone, kAll };

/// Why ONNX Runtime cannot be asked here, as a sentence; empty if it can. It takes `node`, npm's
/// package onnxruntime-node where scripts/run_onnx.mjs looks for it, and that script in a folder
/// `scripts` above the program.
std::string why_no_onnx_runtime();

/// The file in ONNX Runtime, a process of node for each batch. run() throws ExportError naming the
/// file with what ONNX Runtime says.
std::unique_ptr<exporting::ExportedModel> load_in_onnx_runtime(const std::string& path,
                                                               Optimization optimization);

}  // namespace ptq::cli
