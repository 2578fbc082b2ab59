#pragma once

#include "cli/image_sets.h"
#include "cli/stage.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::cli {

/// Whether activations have scales that images decide.
bool calibrates_activations(const Config& config);

/// Scales of the activations of a placed network, as a stage of the run; together with those of the
/// runs that were announced to its session (ptq/cli/session.h) and can share the passes.
void calibrate_activations(Run& run, const ir::Graph& graph, quant::QuantizerTable& table,
                           ImageSets& images);

}  // namespace ptq::cli
