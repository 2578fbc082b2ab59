#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::cli {

/// What only the page shows of the finished network. Nothing without --page.
void note_network_details(Run& run, const ir::Graph& graph, const quant::QuantizerTable& table);

/// The same of the answers: by class, and image by image where float and quantized part.
void note_answer_details(Run& run, ImageSets& images);

}  // namespace ptq::cli
