#pragma once

#include <string>

#include "ptq/base/log.h"
#include "ptq/quant/quantized_network.h"

namespace ptq::report {

/// The graph in Graphviz' DOT language: a box an operation, layers with the bits of their weights,
/// an ellipse a quantizer; quantizers that share a scale have one colour.
std::string dot_of(const QuantizedNetwork& network);

/// Writes that to a `.dot` file, or as a picture to a `.svg` one. Without Graphviz' `dot` on the
/// PATH, or where it fails, the DOT text goes to the same name with `.dot` added, and a warning
/// says so. Throws OutputError naming the file.
void write_graph_drawing(const std::string& path, const QuantizedNetwork& network, Log& log);

}  // namespace ptq::report
