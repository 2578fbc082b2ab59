#pragma once

#include "models/hand_defined.h"

namespace ptq::models {

/// MobileNet V1 (Howard et al. 2017, https://arxiv.org/abs/1704.04861) of any width, quantized as
/// reference-contract 9 says:
///
///   init_block, stage1 .. stage5 of depthwise and pointwise units: conv, batch norm, ReLU or
///   ReLU6, unsigned quantizer (a scale a channel behind the first block and pointwise blocks, but
///   those of the last stage); truncating average pool; linear with int32 bias
///
/// Weights leave out the most negative code and have a scale an output channel, the last layer's
/// one in all; the first layer's have 8 bits whatever the options say. Image and logits are float.
/// Batch norms are not merged. Padding, clamps and eps are those of options.float_network.
QuantizedNetwork quant_mobilenet_v1(const Weights& weights, const HandDefinedOptions& options);

}  // namespace ptq::models
