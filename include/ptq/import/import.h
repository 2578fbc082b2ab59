#pragma once

#include <string>

#include "ptq/ir/graph.h"

namespace ptq::import {

struct ImportOptions {
  /// Height and width of the images the model will get.
  int64_t image_size = 224;
};

/// Reads a TorchScript file, scripted or traced, and writes its forward(images) down as a graph
/// (ARCHITECTURE.md, "Importing"). Throws ImportError, one sentence naming the file, for: a file
/// that is missing, empty or not TorchScript; a forward that needs another input than one image
/// batch; an output that is not one [N, classes] tensor; an operation that fails (named); NaN or
/// infinite weights (named).
ir::Graph import_torchscript(const std::string& path, const ImportOptions& options);

}  // namespace ptq::import
