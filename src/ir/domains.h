#pragma once

#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::ir {

/// Whether rounding `value` would break what `user` computes, because
///
/// - `user` needs small numbers of it (small_numbers.h), or
/// - `user`, or what it is computed into by sums, products and moves alone, is a function that
/// takes
///   some numbers only (a root, a logarithm, a power with a fraction, an arc sine): rounded, an
///   image of zeros and more has numbers below zero. What is never below zero, as behind a ReLU,
///   stays so when it is rounded.
bool breaks_when_rounded(const Index& index, const Node& user, ValueId value);

/// The functions that take some numbers only, and whose operands are not rounded therefore.
std::vector<const Node*> functions_with_domain(const Index& index, const Graph& graph);

}  // namespace ptq::ir
