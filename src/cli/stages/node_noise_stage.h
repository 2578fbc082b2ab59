#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::cli {

/// Noise at every node (--node-sqnr) on the first validation images. `placed` is the network as
/// placement left it, `graph` as it is now.
void measure_node_noise(Run& run, const ir::Graph& placed, const QuantizedNetwork& network,
                        ImageSets& images);

}  // namespace ptq::cli
