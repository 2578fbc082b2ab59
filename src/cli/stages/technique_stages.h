#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"

/// Techniques as stages of a run: each says what it did, and warns where it was asked for and found
/// nothing.
namespace ptq::cli {

void prepare(Run& run, ir::Graph& graph);
/// Does nothing where nobody asked.
void equalize_activations(Run& run, ir::Graph& graph, ImageSets& images);

/// Only where asked for: quantize.cpp has the list.
void calibrate_batch_norms(Run& run, ir::Graph& graph, const quant::QuantizerTable& table,
                           ImageSets& images);
/// `originals`: weights as they were before techniques rounded them.
void correct_biases(Run& run, ir::Graph& graph, const quant::QuantizerTable& table,
                    const passes::OriginalWeights& originals, ImageSets& images);

}  // namespace ptq::cli
