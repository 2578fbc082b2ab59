#pragma once

#include <ATen/core/Tensor.h>

#include "ptq/ir/op.h"

namespace ptq::passes {

/// Adds `shift`, by output channel, to the bias of a layer, which gets one if it has none. Returns
/// the sum of |shift|.
double shift_bias(ir::Weighted& layer, const at::Tensor& shift);

}  // namespace ptq::passes
