#pragma once

#include <string>

#include "ptq/ir/graph.h"

namespace ptq::eval {

/// Which functions are computed from values that are not rounded, as not all numbers are in their
/// domain (ir/domains.h); empty where there are none.
std::string exact_operands(const ir::Graph& graph);

}  // namespace ptq::eval
