#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <set>
#include <string>
#include <vector>

namespace torch::jit {
struct Module;
}

/// Whatever precision and device a model was written for, it runs in float32 on the CPU here.
namespace ptq::import {

/// The other floating types that a model held or asked for.
using Precisions = std::set<at::ScalarType>;

/// `value` with its tensors of other floating types in float32, and the CPU for any device.
c10::IValue plain(const c10::IValue& value, Precisions& seen);

/// The arguments of an operator likewise, and float32 where one of them asks for another type.
void make_plain(const c10::FunctionSchema& schema, std::vector<c10::IValue>& arguments,
                Precisions& seen);

/// Parameters and buffers likewise, in place.
void make_plain(torch::jit::Module& module, Precisions& seen);

/// A sentence for whoever reads the results; empty where there is nothing to say.
std::string precision_note(const Precisions& seen);

}  // namespace ptq::import
