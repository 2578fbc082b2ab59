#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "ptq/ir/op.h"

namespace ptq::ir {

/// What values are clamped to. A bound is one number, or one a channel of a shape that broadcasts
/// to the value ([C, 1, 1] for images); undefined: there is none on this side.
struct ClampBounds {
  at::Tensor lowest, highest;
};

/// Those of ReLU6, hardtanh, clamp, clamp_min and clamp_max with constant bounds; nothing for any
/// other operation. Where both bounds are scaled with a channel, a positive factor passes.
std::optional<ClampBounds> clamp_bounds(const Op& op);

/// The operation that clamps to them: ReLU6 with ceilings where the lowest value is zero.
Op clamp_to(const ClampBounds& bounds, const std::string& name);

}  // namespace ptq::ir
