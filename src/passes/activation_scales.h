#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "ptq/quant/quantized_network.h"

/// Calibrated activation scales, to be used in a network that differs in its weights' quantizers
/// alone: calibration runs in float and never sees those.
namespace ptq::passes {

/// Of one FakeQuantize node; undefined tensors where the quantizer has none.
struct ActivationScale {
  std::string node;
  at::Tensor scale, zero_point;
};
/// In execution order.
using ActivationScales = std::vector<ActivationScale>;

ActivationScales activation_scales(NetworkView network);

/// Throws InternalError unless `network` has the same FakeQuantize nodes as the one the scales are
/// of.
void set_activation_scales(QuantizedNetwork& network, const ActivationScales& scales);

}  // namespace ptq::passes
