#pragma once

#include <string>
#include <vector>

#include "ptq/bits.h"
#include "workflow/bits/budgets.h"
#include "workflow/bits/candidates.h"
#include "workflow/bits/loss_meter.h"
#include "workflow/quantization.h"

namespace ptq::workflow {

/// ptq::search_bits where sensitivities are known. A stage of the log.
BitAssignment search_bits(const BitCandidates& candidates, const Sensitivity& sensitivity,
                          const LossMeter& meter, const BitSearchOptions& options,
                          const Context& context);

/// "bits: ..." for the log.
std::vector<std::string> assignment_lines(const BitAssignment& assignment);

/// A layer's override as --layer-bits takes it: "^conv1$=W4,A8".
std::string layer_bits_text(const LayerOverride& bits);

}  // namespace ptq::workflow
