#pragma once

#include <ATen/core/Tensor.h>

#include "ptq/ir/op.h"

namespace ptq::passes {

/// A layer's weight as the matrices that multiply its unfolded input: [groups, out / groups, K]
/// with K = in / groups * taps, whose columns stand in the order of InputMoments. Contiguous, a
/// copy.
at::Tensor weight_rows(const ir::Op& op, const at::Tensor& weight);

/// The other way, in the shape of `op`'s weight. Contiguous.
at::Tensor weight_of_rows(const ir::Op& op, const at::Tensor& rows);

/// 1 for a Linear.
int64_t groups_of(const ir::Op& op);

}  // namespace ptq::passes
