#pragma once

#include <functional>

#include "ptq/ir/op.h"

namespace ptq::ir {

/// Every named tensor that an operation owns.
void visit_parameters(Op& op, const std::function<void(Parameter&)>& visit);

/// Every tensor that an operation owns: weights, biases, statistics, constants, arguments. Replace
/// the handle, never write into the tensor.
void visit_tensors(Op& op, const std::function<void(at::Tensor&)>& visit);

}  // namespace ptq::ir
