#pragma once

#include <optional>

#include "ptq/ir/op.h"

namespace ptq::ir {

/// Zeros put around a value, as constant_pad_nd and pad in mode "constant" do: pairs (before,
/// after) from the last dimension on. Nothing for any other operation or number. Zeros times a
/// factor are zeros, and zero is a code of every quantizer: channels that are not padded themselves
/// pass through such a node as through a pool.
std::optional<Ints> zero_padding(const Op& op);

/// Whether `padding` adds to dimension `axis` of a value of `rank` dimensions.
bool pads_axis(const Ints& padding, size_t rank, int64_t axis);

}  // namespace ptq::ir
