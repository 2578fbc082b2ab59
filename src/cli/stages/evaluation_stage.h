#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/executor.h"

namespace ptq::cli {

/// A network to evaluate, and what its answers are for.
struct EvaluationStage {
  /// As in "quantized evaluation".
  std::string name;
  runtime::Numerics numerics = runtime::Numerics::kQuantized;
  bool keep_logits = false;
};

/// All validation images, as a stage of the run.
eval::Evaluation evaluate(Run& run, const EvaluationStage& stage, const QuantizedNetwork& network,
                          ImageSets& images);

}  // namespace ptq::cli
