#pragma once

#include <string>

#include "import/module_names.h"

namespace torch::jit {
struct Module;
}

namespace ptq::import {

/// Loads a TorchScript file on the CPU, in evaluation mode, weights as they are.
/// The file has been looked at (guard/model_file.h). Throws ImportError, without the file's name,
/// where LibTorch cannot read it or it holds weights that are not finite.
torch::jit::Module load_module(const std::string& path);

ModuleNames names_of(const torch::jit::Module& module);

}  // namespace ptq::import
