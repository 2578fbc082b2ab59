#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <vector>

/// What goes into a model's forward and what comes out.
namespace ptq::import {

/// Throws ImportError unless forward takes one tensor; further arguments must have defaults.
void check_arguments(const c10::FunctionSchema& forward);

/// The images, and the default of every other argument.
std::vector<c10::IValue> forward_arguments(const c10::FunctionSchema& forward,
                                           const at::Tensor& images);

/// The one tensor of what forward returned: itself, or the first of a tuple whose other elements
/// are None (the auxiliary outputs of GoogLeNet and Inception in evaluation mode). Throws
/// ImportError for anything else.
at::Tensor logits_of(const c10::IValue& returned);

}  // namespace ptq::import
