#pragma once

#include <ATen/core/ivalue.h>

#include <vector>

namespace torch::jit {
struct Node;
}

/// What nodes without a kernel of their own make: constants, lists, dictionaries, objects.
namespace ptq::import {

/// None for a constant that has no value.
c10::IValue constant(const torch::jit::Node& node);
c10::IValue make_list(const torch::jit::Node& node, std::vector<c10::IValue> elements);
/// Keys and values alternate.
c10::IValue make_dict(const torch::jit::Node& node,
                      const std::vector<c10::IValue>& keys_and_values);
/// An object of a class of the model, its attributes unset.
c10::IValue make_object(const torch::jit::Node& node);
/// Of a tuple or a list.
std::vector<c10::IValue> elements_of(const c10::IValue& container);
/// Whether `value` is of one of the types that an isinstance node lists.
bool has_one_of_types(const torch::jit::Node& node, const c10::IValue& value);

}  // namespace ptq::import
