#pragma once

#include "import/call.h"

/// A walk needs the shapes of activations, and values only to see which images they come from.
/// Matrix products, which take most of its time with a plain BLAS, therefore run on sixteen sums of
/// channels instead of all channels. Every channel counts in one of them. Convolutions run whole:
/// LibTorch has none without memory, from which the places of the answer would come.
namespace ptq::import {

/// What a walk multiplies: kSampled is faster, but may make distances and other sums negative that
/// never are.
enum class Products { kSampled, kExact };

/// `call` with its operands cut down; nothing where it is no product of matrices, or a small one.
std::optional<std::vector<c10::IValue>> sampled(const Call& call);

/// Every tensor replaced by one of the same shape and strides without memory.
std::vector<c10::IValue> to_meta(std::vector<c10::IValue> values);

/// Every tensor of `values` in the places that the one of `places` has.
std::vector<c10::IValue> in_places_of(const std::vector<c10::IValue>& places,
                                      std::vector<c10::IValue> values);

}  // namespace ptq::import
