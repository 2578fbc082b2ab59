#pragma once

#include "cli/stage.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::cli {

/// Says how many layers of the quantized network run on integers, and with --explain why the others
/// do not. Nothing where the run computes in floats.
void say_arithmetic(Run& run, const ir::Graph& graph, const quant::QuantizerTable& table);

}  // namespace ptq::cli
