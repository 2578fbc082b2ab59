#pragma once

#include "ptq/ir/graph.h"

namespace ptq::exporting {

/// Whether the writer has words for an operator that nobody lowered, with these arguments: clamps,
/// and those of torchvision's transformers (roll, pad, norm, expand_as).
bool has_onnx_form(const ir::Opaque& op, const ir::Dims& input_shape);

}  // namespace ptq::exporting
