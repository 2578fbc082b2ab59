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

/// Changes the layer's weight. `held_out`, where given, are the moments of images that `moments`
/// counts too: the technique is tried without them first, and where its codes do worse on them than
/// the nearest ones, the layer gets those.
RoundedLayer round_layer(const LayerProblem& problem, InputMoments& moments,
                         InputMoments* held_out = nullptr);

}  // namespace ptq::passes
