#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::cli {

/// Before any work: throws ExportError if a format cannot express what the options will make of
/// the imported graph. Placement is tried on a copy.
void check_exportable(Run& run, const ir::Graph& imported);

/// Writes the exports that were asked for, or none; runs them again on --check-export images.
/// Throws OutputError or ExportError naming the file.
void export_network(Run& run, const QuantizedNetwork& network, ImageSets& images);

}  // namespace ptq::cli
