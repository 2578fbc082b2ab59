#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"

namespace ptq::cli {

/// Noise at every node (--node-sqnr) on the first validation images. `placed` is the network as
/// placement left it, `graph` as it is now.
void measure_node_noise(Run& run, const ir::Graph& placed, const ir::Graph& graph,
                        const quant::QuantizerTable& table, ImageSets& images);

}  // namespace ptq::cli
