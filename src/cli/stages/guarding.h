#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/quant/quantized_network.h"

/// Guards against results that look broken (eval/guards.h): each is a warning, and what --strict
/// and
/// --baseline fail for.
namespace ptq::cli {

/// Of the network as it was quantized: its scales, and whether layers still see the image. Takes a
/// few validation images, so that the validation loader has to be started anew.
void guard_network(Run& run, const QuantizedNetwork& network, ImageSets& images);

/// Of the answers of both networks.
void guard_answers(Run& run);

}  // namespace ptq::cli
