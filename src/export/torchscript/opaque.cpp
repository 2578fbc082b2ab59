#include "export/torchscript/opaque.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

/// An argument as it stands in a call.
struct ToText {
  const std::vector<std::string>& inputs;
  const std::string& path;
  ScriptBuilder& builder;

  std::string input(int index) const {
    return index == ir::kNoInput ? "None" : inputs[static_cast<size_t>(index)];
  }
  std::string operator()(std::monostate) const { return "None"; }
  std::string operator()(ir::InputRef reference) const { return input(reference.index); }
  std::string operator()(const ir::InputRefs& references) const {
    std::vector<std::string> elements;
    for (const int index : references.indices) elements.push_back(input(index));
    return list(elements);
  }
  std::string operator()(bool value) const { return literal(value); }
  std::string operator()(double value) const { return literal(value); }
  std::string operator()(const std::string& value) const { return literal(value); }
  std::string operator()(ir::Dim dim) const { return ScriptBuilder::extent(dim); }
  std::string operator()(const ir::Dims& dims) const { return ScriptBuilder::extents(dims); }
  std::string operator()(const at::Tensor& tensor) const {
    return builder.keep(path + ".constant", tensor);
  }
  template <class T>
  std::string operator()(const std::vector<T>& values) const {
    std::vector<std::string> elements;
    for (const T value : values) elements.push_back(literal(value));
    return list(elements);
  }
};

[[noreturn]] void refuse(const ir::Opaque& op, const std::string& path, const std::string& why) {
  throw ExportError("TorchScript cannot express what " + path + " computes: " + op.schema + " " +
                    why);
}

bool is_tensor(const c10::Argument& result) {
  return result.type()->isSubtypeOf(*c10::TensorType::get());
}

/// How to get the node's result out of what the call returns.
std::string result_of(const ir::Opaque& op, const c10::FunctionSchema& schema,
                      const std::string& path) {
  const auto& results = schema.returns();
  const std::string index = "[" + literal(op.result) + "]";
  if (results.size() == 1) {
    if (is_tensor(results[0])) return "";
    if (results[0].type()->isSubtypeOf(*c10::ListType::ofTensors())) return index;
  }
  for (const c10::Argument& result : results) {
    if (!is_tensor(result)) refuse(op, path, "returns more than tensors");
  }
  return index;
}

}  // namespace

std::string opaque_call(const ir::Opaque& op, const std::vector<std::string>& inputs,
                        const std::string& path, ScriptBuilder& builder) {
  const std::string aten = "aten::";
  if (op.schema.rfind(aten, 0) != 0) refuse(op, path, "is not an operator of LibTorch itself");
  const auto handle =
      c10::Dispatcher::singleton().findSchemaOrThrow(op.schema.c_str(), op.overload.c_str());
  const c10::FunctionSchema& schema = handle.schema();
  std::vector<std::string> arguments;
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    const c10::Argument& declared = schema.arguments().at(i);
    const std::string value = std::visit(ToText{inputs, path, builder}, op.arguments[i]);
    arguments.push_back(declared.kwarg_only() ? declared.name() + "=" + value : value);
  }
  return call(op.schema.substr(aten.size()), arguments) + result_of(op, schema, path);
}

}  // namespace ptq::exporting
