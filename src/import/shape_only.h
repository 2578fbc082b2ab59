#pragma once

#include "import/call.h"

/// A walk needs the shapes of activations, not their values: nothing it may follow depends on
/// those. Matrix products, which take most of its time with a plain BLAS, run on the meta device.
namespace ptq::import {

/// Whether shapes are all that `call` has to work out.
bool needs_shapes_only(const Call& call);

/// Every tensor replaced by one of the same shape and strides without memory.
std::vector<c10::IValue> to_meta(std::vector<c10::IValue> values);

/// Every tensor replaced by zeros of the same shape and strides.
std::vector<c10::IValue> to_zeros(std::vector<c10::IValue> values);

}  // namespace ptq::import
