#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "ptq/ir/op.h"

namespace ptq::ir {

/// Calls the operator of an Opaque node on concrete inputs. `batch` resolves extents that grow with
/// the batch. Errors of ATen leave as c10::Error.
at::Tensor call_opaque(const Opaque& op, const std::vector<at::Tensor>& inputs, int64_t batch);

}  // namespace ptq::ir
