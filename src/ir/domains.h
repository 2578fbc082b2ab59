#pragma once

#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::ir {

/// Whether rounding `value` would break what `user` computes: `user` needs small numbers of it
/// (small_numbers.h), the value is a place to read at (coordinates.h), or it gets, by sums,
/// products and moves alone, to a function that takes some numbers only (a root, a logarithm, a
/// power with a fraction, an arc sine). Rounded, an image that has no numbers below zero may have
/// some. What is never below zero for another reason, as behind a ReLU, stays so when it is
/// rounded.
bool breaks_when_rounded(const Index& index, const Node& user, ValueId value);

/// The functions that take some numbers only, and whose operands are therefore not rounded.
std::vector<const Node*> functions_with_domain(const Index& index, const Graph& graph);

}  // namespace ptq::ir
