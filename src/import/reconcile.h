#pragma once

#include "ptq/ir/graph.h"

namespace ptq::import {

/// The batch sizes a model is walked at. Not 1, which would hide broadcasting over the batch.
inline constexpr int64_t kFirstBatch = 2;
inline constexpr int64_t kSecondBatch = 3;

/// One graph for any batch size from the graphs of two: extents that differ are marked as growing
/// with the batch, constants that differ become one image's constant, expanded. Throws ImportError
/// naming the node where the graphs differ in another way.
ir::Graph reconcile(ir::Graph first, const ir::Graph& second);

}  // namespace ptq::import
