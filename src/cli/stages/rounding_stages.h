#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"

namespace ptq::cli {

/// GPFQ, GPTQ or Qronos. `originals` gain the weights there were, for those that come later, unless
/// GPTQ is told to keep none.
void round_weights(Run& run, ir::Graph& graph, const quant::QuantizerTable& table,
                   passes::RoundingOptions options, passes::OriginalWeights& originals,
                   ImageSets& images);

/// Returns the weights as they were before their rounding was learned; none where it was not.
passes::OriginalWeights learn_rounding(Run& run, ir::Graph& graph,
                                       const quant::QuantizerTable& table, ImageSets& images);

/// "gptq", "gpfq", "qronos": the flag.
std::string_view name_of(passes::RoundingTechnique technique);

}  // namespace ptq::cli
