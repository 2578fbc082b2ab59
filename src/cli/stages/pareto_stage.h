#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/bits.h"
#include "workflow/bits/candidates.h"
#include "workflow/bits/loss_meter.h"

namespace ptq::cli {

/// What bits of weights buy (--pareto): searches each budget, quantizes with the bits found as the
/// run is told to, and evaluates; the same for each candidate width of weights, uniformly. Rows go
/// into the result, in ascending mean bits.
void measure_pareto(Run& run, const ir::Graph& imported, ImageSets& images,
                    const workflow::BitCandidates& candidates, const workflow::LossMeter& meter);

}  // namespace ptq::cli
