#pragma once

#include <string>

#include "ptq/ir/graph.h"

namespace ptq::ir {

/// to_text() with all digits of every number, and the shapes of values.
std::string exact_text(const Graph& graph);

}  // namespace ptq::ir
