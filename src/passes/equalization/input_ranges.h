#pragma once

#include <ATen/core/Tensor.h>

#include <unordered_map>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/passes/calibrate.h"
#include "ptq/runtime/execution.h"

namespace ptq::passes {

/// By layer, the largest |x| of each channel of its input over all images, [channels] float32.
using InputRanges = std::unordered_map<const ir::Node*, at::Tensor>;

/// One float pass over the batches. Throws DataError if there was none, QuantizationError naming
/// the layer if its input is not finite.
InputRanges input_ranges(const ir::Graph& graph, const std::vector<ir::Node*>& layers,
                         const runtime::Execution& execution, const NextBatch& next_batch);

}  // namespace ptq::passes
