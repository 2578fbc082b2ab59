#pragma once

#include "ptq/backends/placement.h"

namespace ptq::backends {

/// The fx rules (reference-contract 5.2): inputs, activations, adds, concats, layers, logits.
QuantizedNetwork place_fx(ir::Graph graph, const PlacementOptions& options);

}  // namespace ptq::backends
