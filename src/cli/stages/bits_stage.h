#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"

namespace ptq::cli {

/// Measures sensitivities (--sensitivity) and chooses bits within the budgets, which become the
/// layer bits of `quantize`; measures accuracy over budgets (--pareto); writes the files asked for.
/// Nothing where nobody asked.
void choose_bits(Run& run, const ir::Graph& imported, ImageSets& images, QuantizeConfig& quantize);

}  // namespace ptq::cli
