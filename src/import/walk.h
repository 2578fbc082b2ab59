#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "import/module_names.h"
#include "import/plain_values.h"
#include "import/sampled_products.h"
#include "ptq/ir/graph.h"

namespace torch::jit {
struct Module;
}

namespace ptq::import {

/// Throws ImportError unless there is a forward that takes one tensor.
void check_forward(const torch::jit::Module& module);

/// Told each value that an operator made, right after it ran.
using Seen = std::function<void(ir::ValueId value, const at::Tensor& tensor)>;

struct Walked {
  ir::Graph graph;
  at::Tensor logits;
  /// Floating types other than float32 that the model asked for.
  Precisions precisions;
};

/// Runs forward(images) node by node, in float32, and writes down every operation that an image
/// flows into. Extents are those of this batch. Values are real ones but for sampled products
/// (sampled_products.h). Throws ImportError, without the file's name, where the model fails or
/// leaves what a graph can say.
Walked walk(const torch::jit::Module& module, const ModuleNames& names, const at::Tensor& images,
            const Seen& seen = nullptr, Products products = Products::kSampled);

}  // namespace ptq::import
