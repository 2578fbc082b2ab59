#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "ptq/ir/op.h"

namespace ptq::runtime {

/// Runs one operation through ATen on concrete inputs, with the weights it holds, as float. `batch`
/// resolves extents that grow with the batch. FakeQuantize returns its input. Errors of ATen leave
/// as c10::Error.
at::Tensor execute_op(const ir::Op& op, const std::vector<at::Tensor>& inputs, int64_t batch);

}  // namespace ptq::runtime
