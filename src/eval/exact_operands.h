#pragma once

#include <string>
#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::eval {

/// What is computed from values that are not rounded: functions that do not take all numbers
/// (ir/domains.h), and what reads at computed places (ir/coordinates.h). One sentence a kind.
std::vector<std::string> exact_operands(const ir::Graph& graph);

}  // namespace ptq::eval
