#pragma once

#include "ptq/ir/graph.h"

namespace ptq::exporting {

/// Whether the writer has words for an operator that nobody lowered, with these arguments: clamps,
/// roll, pad, norms and other reductions, expand_as, nearest upsampling, simple functions.
bool has_onnx_form(const ir::Opaque& op, const ir::Dims& input_shape);

}  // namespace ptq::exporting
