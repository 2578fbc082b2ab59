#pragma once

#include <ATen/core/Tensor.h>

#include "import/module_names.h"
#include "ptq/ir/graph.h"

namespace torch::jit {
struct Module;
}

namespace ptq::import {

/// Throws ImportError unless there is a forward that takes one tensor.
void check_forward(const torch::jit::Module& module);

/// Runs forward(images) node by node, with real values where they can matter, and writes down every
/// operation that an image flows into. Extents are those of this batch. Throws ImportError, without
/// the file's name, where the model fails or leaves what a graph can say.
ir::Graph walk(const torch::jit::Module& module, const ModuleNames& names,
               const at::Tensor& images);

}  // namespace ptq::import
