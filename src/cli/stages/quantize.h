#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "cli/stages/attribution.h"
#include "ptq/models/hand_defined.h"

namespace ptq::cli {

/// Whether quantizing looks at images: not for dynamic scales or weights alone without techniques.
bool needs_calibration_images(const Config& config);

/// The network that --model-name names, with the weights of the imported one, if it is one of those
/// defined by hand.
std::optional<models::QuantizedNetwork> defined_by_hand(const Run& run, const ir::Graph& imported);

/// From an imported float graph to a calibrated quantized one, in the reference's order
/// (reference-contract 1.1): preparation, equalization of activations, placement, weight scales,
/// calibration, batch norms, biases. Each is a stage of the run.
quant::QuantizerTable quantize(Run& run, ir::Graph& graph, ImageSets& images,
                               Attribution& attribution);

}  // namespace ptq::cli
