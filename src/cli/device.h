#pragma once

#include <c10/core/Device.h>

#include "ptq/ir/graph.h"

namespace ptq::cli {

/// Moves every tensor the graph holds.
void move_to(ir::Graph& graph, c10::Device device);

}  // namespace ptq::cli
