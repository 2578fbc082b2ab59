#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

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

ActivationScales activation_scales(const ir::Graph& graph, const quant::QuantizerTable& table);

/// Throws InternalError unless `graph` has the same FakeQuantize nodes as the one the scales are
/// of.
void set_activation_scales(const ir::Graph& graph, quant::QuantizerTable& table,
                           const ActivationScales& scales);

}  // namespace ptq::passes
