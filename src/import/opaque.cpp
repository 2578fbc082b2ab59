#include <ATen/core/dispatch/Dispatcher.h>

#include "import/lowerings.h"
#include "import/messages.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

/// The arguments of one call as an Opaque node keeps them.
class ArgumentWriter {
 public:
  ArgumentWriter(const Call& call, Recorder& recorder) : call_(call), recorder_(recorder) {}

  ir::Argument write(const c10::IValue& value);
  std::vector<ir::ValueId> inputs;

 private:
  int input(const at::Tensor& tensor);
  ir::Argument write_list(const c10::IValue& list);
  ir::Argument write_tensors(c10::ArrayRef<c10::IValue> elements);
  [[noreturn]] void refuse(const c10::IValue& value) const;

  const Call& call_;
  Recorder& recorder_;
};

int ArgumentWriter::input(const at::Tensor& tensor) {
  inputs.push_back(recorder_.read(tensor));
  return static_cast<int>(inputs.size()) - 1;
}

ir::Argument ArgumentWriter::write(const c10::IValue& value) {
  if (value.isNone()) return std::monostate{};
  if (value.isTensor()) return ir::InputRef{input(value.toTensor())};
  if (value.isBool()) return value.toBool();
  if (value.isInt()) return ir::Dim{value.toInt(), false};
  if (value.isDouble()) return value.toDouble();
  if (value.isString()) return value.toStringRef();
  if (value.isList()) return write_list(value);
  refuse(value);
}

ir::Argument ArgumentWriter::write_list(const c10::IValue& list) {
  if (list.isIntList()) return constant_dims(list.toIntVector());
  if (list.isDoubleList()) return list.toDoubleVector();
  if (list.isBoolList()) {
    const auto flags = list.toBoolList();
    return std::vector<bool>(flags.begin(), flags.end());
  }
  return write_tensors(list.toListRef());
}

ir::Argument ArgumentWriter::write_tensors(c10::ArrayRef<c10::IValue> elements) {
  ir::InputRefs references;
  for (const c10::IValue& element : elements) {
    if (!element.isTensor() && !element.isNone()) refuse(element);
    const bool present = element.isTensor() && element.toTensor().defined();
    references.indices.push_back(present ? input(element.toTensor()) : ir::kNoInput);
  }
  return references;
}

void ArgumentWriter::refuse(const c10::IValue& value) const {
  throw ImportError(join_path(recorder_.module(), call_.name) + ": " + call_.schema->name() +
                    " with an argument of kind " + value.tagKind() + " is not supported");
}

/// Without the in-place underscore: the form that leaves its inputs alone.
std::string functional_name(const c10::FunctionSchema& schema) {
  std::string name = schema.name();
  if (is_in_place(schema)) name.pop_back();
  return name;
}

void check_has_functional_form(const Call& call, const Recorder& recorder) {
  const c10::OperatorName name(functional_name(*call.schema), call.schema->overload_name());
  if (c10::Dispatcher::singleton().findSchema(name)) return;
  throw ImportError(join_path(recorder.module(), call.name) + ": " + call.schema->name() +
                    " writes in place and has no other form");
}

void check_writes_nothing_else(const Call& call, const Recorder& recorder) {
  const auto& arguments = call.schema->arguments();
  for (size_t i = 1; i < arguments.size(); ++i) {
    const auto* alias = arguments[i].alias_info();
    if (alias == nullptr || !alias->isWrite()) continue;
    throw ImportError(join_path(recorder.module(), call.name) + ": " + call.schema->name() +
                      " writes into its argument " + arguments[i].name() +
                      ", which is not supported");
  }
}

}  // namespace

Lowered lower_opaque(const Call& call, Recorder& recorder) {
  check_has_functional_form(call, recorder);
  check_writes_nothing_else(call, recorder);
  ArgumentWriter writer(call, recorder);
  ir::Opaque opaque{functional_name(*call.schema), call.schema->overload_name(), {}, 0};
  for (const c10::IValue& argument : call.arguments) {
    opaque.arguments.push_back(writer.write(argument));
  }
  Lowered values;
  for (const at::Tensor& result : call.results) {
    values.push_back(recorder.append(opaque, writer.inputs, result.sizes(), call.name));
    ++opaque.result;
  }
  return values;
}

}  // namespace ptq::import
