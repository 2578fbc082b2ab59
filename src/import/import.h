#pragma once

#include <string>
#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::import {

/// Whether a model file is believed. A TorchScript file is a program: kCheck looks at all of it
/// before any of it runs, allows the operators of a list only (src/import/guard/operators.h), and
/// bounds the work of reading it. kTrust allows any operator and class that LibTorch knows, and as
/// much work as it takes; damage is found all the same.
enum class ModelTrust { kCheck, kTrust };

struct ImportOptions {
  /// Height and width of the images the model will get.
  int64_t image_size = 224;
  ModelTrust trust = ModelTrust::kCheck;
};

/// Reads a TorchScript file, scripted or traced, and writes its forward(images) down as a graph
/// (ARCHITECTURE.md, "Importing"). Throws ImportError, one sentence naming the file, for: a file
/// that is missing, empty or not TorchScript; a forward that needs another input than one image
/// batch; an output that is not one [N, classes] tensor; an operation that fails (named); NaN or
/// infinite weights (named); chance; images that influence each other (the operator named); a file
/// that is damaged, or that asks for what ModelTrust::kCheck does not allow. While a file is
/// checked and read, the process's data limit (RLIMIT_DATA) may be lower.
ir::Graph import_torchscript(const std::string& path, const ImportOptions& options);

/// The same; adds to `notes` what importing changed, in sentences: another precision.
ir::Graph import_torchscript(const std::string& path, const ImportOptions& options,
                             std::vector<std::string>& notes);

}  // namespace ptq::import
