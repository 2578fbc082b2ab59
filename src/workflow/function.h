#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/function_change.h"
#include "passes/pipeline.h"

/// Whether steps that are to keep what the float network computes did keep it.
namespace ptq::workflow {

/// What one step did to the float network's function, measured on calibration images against the
/// network before the step (eval/function_change.h).
struct FunctionRow {
  eval::FunctionChange change;
  /// Of "preparation": the passes that changed it by more than rounding.
  std::vector<std::string> passes;
};

/// What became of ReLU6, and if that was left open what replacing it would change.
struct Relu6Choice {
  passes::Relu6 becomes = passes::Relu6::kRelu;
  std::optional<eval::FunctionChange> replaced;
};

}  // namespace ptq::workflow
