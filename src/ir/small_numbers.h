#pragma once

#include "ptq/ir/graph.h"

namespace ptq::ir {

/// Whether `user` makes large numbers of small ones of `value`, at once or after operations that
/// keep zero zero or shift it. So it does
///
/// - where it divides by the value, takes its logarithm or the like: rounding to zero would make
///   infinities;
/// - where it divides the value by a mean, a norm or another statistic of the value itself, as
///   normalizations written by hand do: channels or tokens that are small beside others would be
///   zeros, though after the division they are as large as those.
bool needs_small_numbers(const Index& index, const Node& user, ValueId value);

}  // namespace ptq::ir
