#pragma once

#include "ptq/ir/graph.h"

namespace ptq::import {

/// Throws ImportError, naming the operator, if an operator of both walks (one of kFirstBatch images
/// and one of kSecondBatch) takes the batch apart: it is given so and so many elements for every
/// image, and its result has not. For walks that do not fit together; where they do, such an
/// operator may be harmless.
void check_batch_stays_whole(const ir::Graph& first, const ir::Graph& second);

}  // namespace ptq::import
