#pragma once

#include <string>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::exporting {

/// Whether a format takes zero points between whole numbers.
enum class ZeroPoints { kWhole, kAny };

/// What no format has: throws ExportError naming the layer for a minifloat, scales per group or per
/// channel of an activation, and scales found during the run. `format` is the format's name in
/// messages.
void check_quantizers(const quant::QuantizerTable& table, const std::string& format,
                      ZeroPoints zero_points);

/// check_quantizers for whole zero points, and no opaque operators, named by node.
void check_common(const ir::Graph& graph, const quant::QuantizerTable& table,
                  const std::string& format);

/// "the weight of layer1.0.conv1", ...: where a quantizer stands, for messages.
std::string part_of_layer(const quant::Quantizer& quantizer);

}  // namespace ptq::exporting
