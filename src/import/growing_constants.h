#pragma once

#include <string>

#include "ptq/ir/graph.h"

namespace ptq::import {

/// Makes nodes for any number of images of a constant that grows with the batch: one image's,
/// repeated (a class token, a block of zeros), or integers that count the images, as
/// torch.arange(x.size(0)) does. `where` holds the constant of kFirstBatch images, and its value
/// the extents for any number; `of_more` is that of kSecondBatch images. Throws ImportError for
/// others.
void grow_constant(ir::Graph& graph, ir::Graph::Position where, const at::Tensor& of_more);

/// `what` of `node` is not the same for all images.
[[noreturn]] void refuse_growth(const std::string& node, const std::string& what);

}  // namespace ptq::import
