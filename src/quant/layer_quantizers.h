#pragma once

#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// Whether a node's output holds the same codes as its inputs: reshape, concat, permute, slice,
/// select, expand, max pool. Zeros put around add the code of zero, which is the zero point.
bool keeps_codes(const ir::Node& node);

/// The activation quantizer whose codes a value holds: that of the nearest FakeQuantize above it,
/// looking through operations that keep codes (at their first input). kNoQuantizer if there is
/// none.
ir::QuantizerId value_quantizer(const ir::Index& index, ir::ValueId value);

/// The quantizer whose codes `node` multiplies with its weight: value_quantizer of its first input.
ir::QuantizerId input_quantizer(const ir::Index& index, const ir::Node& node);

/// The nearest quantizers above a value, whatever lies between: those that change with the bits of
/// a layer that reads it. Each once.
std::vector<ir::QuantizerId> feeding_quantizers(const ir::Index& index, ir::ValueId value);

/// What a quantized layer multiplies with: weight and bias fake-quantized where they have
/// quantizers, the originals where not. `bias` is undefined for a layer without one.
struct LayerTensors {
  at::Tensor weight;
  at::Tensor bias;
};
LayerTensors quantized_layer_tensors(const ir::Index& index, const ir::Node& node,
                                     const QuantizerTable& table);

/// Scale of the layer's bias quantizer, s_in * s_w; undefined without bias quantizer.
at::Tensor bias_scale(const ir::Index& index, const ir::Node& node, const QuantizerTable& table);

/// Whether an activation takes its one scale from each image anew: such a network runs image by
/// image.
bool has_dynamic_scale(const QuantizerTable& table);

}  // namespace ptq::quant
