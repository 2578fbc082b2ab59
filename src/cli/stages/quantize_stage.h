#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "cli/stages/attribution.h"

namespace ptq::cli {

/// Quantizes as the run is told to; what techniques did goes into its result, rows of --attribute
/// too.
QuantizedNetwork quantize_model(Run& run, const ir::Graph& imported, ImageSets& images,
                                Attribution& attribution);

}  // namespace ptq::cli
