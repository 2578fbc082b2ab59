#pragma once

#include "backends/activation_placement.h"

namespace ptq::backends {

/// Linear, and convolutions over one or two dimensions: layers over three stay float on every
/// backend (reference-contract 3.13).
bool is_quantized_layer(const ir::Node& node);

/// Gives the weight of `node` its quantizer, in the format of `formats` or the usual one, and the
/// bias one if it can have one: its scale is s_in * s_w, so the input must have one static scale
/// and the weight one an output channel, both of integers (reference-contract 3.12). Throws
/// QuantizationError naming the layer for a grouped transposed convolution per channel, whose
/// weight has no output-channel axis.
void add_layer_quantizers(Draft& draft, ir::Node& node, const LayerFormats& formats);

}  // namespace ptq::backends
