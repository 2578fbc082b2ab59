#pragma once

#include <string>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::exporting {

/// What no format has: throws ExportError naming node or layer for an opaque operator, a minifloat,
/// scales per group or per channel of an activation, scales found during the run, and zero points
/// that are no whole numbers. `format` is the format's name in messages.
void check_common(const ir::Graph& graph, const quant::QuantizerTable& table,
                  const std::string& format);

/// "the weight of layer1.0.conv1", ...: where a quantizer stands, for messages.
std::string part_of_layer(const quant::Quantizer& quantizer);

}  // namespace ptq::exporting
