#include "import/containers.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>

namespace ptq::import {

using c10::IValue;
using torch::jit::Node;
using Values = std::vector<IValue>;

IValue constant(const Node& node) {
  const auto value = torch::jit::toIValue(node.output());
  return value ? *value : IValue();
}

IValue make_list(const Node& node, Values elements) {
  c10::impl::GenericList list(node.output()->type()->expectRef<c10::ListType>().getElementType());
  for (IValue& element : elements) list.push_back(std::move(element));
  return list;
}

IValue make_dict(const Node& node, const Values& keys_and_values) {
  const auto& type = node.output()->type()->expectRef<c10::DictType>();
  c10::impl::GenericDict dict(type.getKeyType(), type.getValueType());
  for (size_t i = 0; i + 1 < keys_and_values.size(); i += 2) {
    dict.insert(keys_and_values[i], keys_and_values[i + 1]);
  }
  return dict;
}

IValue make_object(const Node& node) {
  const auto type = node.output()->type()->expect<c10::ClassType>();
  return c10::ivalue::Object::create(c10::StrongTypePtr(type->compilation_unit(), type),
                                     type->numAttributes());
}

Values elements_of(const IValue& container) {
  if (container.isTuple()) return container.toTupleRef().elements().vec();
  return container.toListRef().vec();
}

bool has_one_of_types(const Node& node, const IValue& value) {
  const auto& types = node.tys(c10::attr::types);
  return std::any_of(types.begin(), types.end(),
                     [&](const c10::TypePtr& type) { return value.type()->isSubtypeOf(*type); });
}

}  // namespace ptq::import
