#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/cli/exports.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::cli {

/// Loads every file of `report` again, runs it on the first --check-export validation images and
/// adds what came out to the file's checks. Predictions that differ from those of the run's own
/// network are a warning.
void check_exports(Run& run, const ir::Graph& graph, const quant::QuantizerTable& table,
                   ImageSets& images, ExportReport& report);

}  // namespace ptq::cli
