#include "import/call.h"

#include "ptq/base/error.h"

namespace ptq::import {

const c10::IValue* Call::find(const char* argument) const {
  const auto index = schema->argumentIndexWithName(argument);
  if (!index || static_cast<size_t>(*index) >= arguments.size()) return nullptr;
  return &arguments[static_cast<size_t>(*index)];
}

bool Call::has(const char* argument) const {
  const c10::IValue* value = find(argument);
  return value != nullptr && !value->isNone();
}

const c10::IValue& Call::argument(const char* argument_name) const {
  const c10::IValue* value = find(argument_name);
  if (value == nullptr) throw InternalError(name + " has no argument " + argument_name);
  return *value;
}

at::Tensor Call::tensor(const char* argument_name) const {
  return argument(argument_name).toTensor();
}

at::Tensor Call::optional_tensor(const char* argument_name) const {
  return has(argument_name) ? tensor(argument_name) : at::Tensor();
}

int64_t Call::integer(const char* argument_name) const { return argument(argument_name).toInt(); }

double Call::number(const char* argument_name) const {
  return argument(argument_name).toScalar().toDouble();
}

bool Call::flag(const char* argument_name) const { return argument(argument_name).toBool(); }

std::vector<int64_t> Call::integers(const char* argument_name) const {
  const c10::IValue& value = argument(argument_name);
  if (value.isInt()) return {value.toInt()};
  return value.toIntVector();
}

void collect_tensors(const c10::IValue& value, std::vector<at::Tensor>& tensors) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) tensors.push_back(value.toTensor());
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) collect_tensors(element, tensors);
  } else if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements()) {
      collect_tensors(element, tensors);
    }
  }
}

std::vector<at::Tensor> tensors_of(const std::vector<c10::IValue>& values) {
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& value : values) collect_tensors(value, tensors);
  return tensors;
}

std::string plain_name(const std::string& qualified) {
  const size_t colons = qualified.find("::");
  std::string name = colons == std::string::npos ? qualified : qualified.substr(colons + 2);
  const bool dunder = name.size() > 2 && name.compare(name.size() - 2, 2, "__") == 0;
  if (!dunder && name.size() > 1 && name.back() == '_') name.pop_back();
  return name;
}

bool is_in_place(const c10::FunctionSchema& schema) {
  if (schema.arguments().empty()) return false;
  const auto* alias = schema.arguments().front().alias_info();
  return alias != nullptr && alias->isWrite();
}

}  // namespace ptq::import
