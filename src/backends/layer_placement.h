#pragma once

#include "ptq/backends/placement.h"

namespace ptq::backends {

/// Gives the weight and bias of `node` their quantizers. Throws QuantizationError naming the layer
/// for a grouped transposed convolution per channel, whose weight has no output-channel axis.
void add_layer_quantizers(quant::QuantizerTable& table, ir::Node& node,
                          const PlacementOptions& options);

}  // namespace ptq::backends
