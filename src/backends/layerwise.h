#pragma once

#include "ptq/backends/placement.h"

namespace ptq::backends {

/// The layerwise rules (reference-contract 5.5): every layer has quantizers for its weight, its
/// bias and its input, an nn.MultiheadAttention also for the operands of its products. All else
/// stays float: adds, activations, logits, and attentions that are code of the model's own.
QuantizedNetwork place_layerwise(ir::Graph graph, const PlacementOptions& options);

}  // namespace ptq::backends
