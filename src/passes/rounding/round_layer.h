#pragma once

#include "passes/rounding/input_moments.h"
#include "ptq/passes/round_weights.h"

namespace ptq::passes {

/// What a technique needs to know of one layer.
struct LayerProblem {
  ir::Node& layer;
  const quant::QuantizerTable& table;
  const RoundingOptions& options;
  /// Of the layer's input.
  ir::QuantizerId input_quantizer = ir::kNoQuantizer;
  /// The weight aimed at, in the layer's shape.
  at::Tensor original;
};

/// Changes the layer's weight.
RoundedLayer round_layer(const LayerProblem& problem, InputMoments& moments);

}  // namespace ptq::passes
