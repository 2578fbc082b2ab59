#pragma once

#include <cstdint>

#include "ptq/ir/graph.h"

namespace ptq::ir {

/// The dimension of channels in `value`: the last (-1) beside a Linear or LayerNorm, the second
/// beside a convolution, else the second of images and the last of anything else.
int64_t channel_axis(const Graph& graph, const Index& index, ValueId value);

}  // namespace ptq::ir
