#pragma once

#include "cli/stage.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::cli {

/// Says how many layers of the quantized network run on integers, and with --explain why the others
/// do not. Nothing where the run computes in floats.
void say_arithmetic(Run& run, const QuantizedNetwork& network);

}  // namespace ptq::cli
