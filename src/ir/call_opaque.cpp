#include "ir/call_opaque.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <algorithm>

namespace ptq::ir {
namespace {

using Tensors = std::vector<at::Tensor>;

/// Turns the arguments of an Opaque node into what the dispatcher takes.
struct ToIValue {
  const Tensors& in;
  int64_t batch;

  c10::IValue operator()(std::monostate) const { return {}; }
  c10::IValue operator()(InputRef ref) const { return in[static_cast<size_t>(ref.index)]; }
  c10::IValue operator()(const InputRefs& refs) const;
  c10::IValue operator()(Dim dim) const { return dim.at(batch); }
  c10::IValue operator()(const Dims& dims) const { return at_batch(dims, batch); }
  c10::IValue operator()(const std::vector<bool>& flags) const {
    c10::List<bool> list;
    for (const bool flag : flags) list.push_back(flag);
    return list;
  }
  template <class T>
  c10::IValue operator()(const T& value) const {
    return value;
  }
};

c10::IValue ToIValue::operator()(const InputRefs& refs) const {
  const bool complete =
      std::find(refs.indices.begin(), refs.indices.end(), kNoInput) == refs.indices.end();
  if (complete) {
    c10::List<at::Tensor> list;
    for (const int index : refs.indices) list.push_back(in[static_cast<size_t>(index)]);
    return list;
  }
  c10::List<c10::optional<at::Tensor>> list;
  for (const int index : refs.indices) {
    list.push_back(index == kNoInput ? c10::optional<at::Tensor>()
                                     : in[static_cast<size_t>(index)]);
  }
  return list;
}

void collect(const c10::IValue& value, Tensors& tensors) {
  if (value.isTensor()) {
    tensors.push_back(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) tensors.push_back(tensor);
  }
}

}  // namespace

at::Tensor call_opaque(const Opaque& op, const std::vector<at::Tensor>& in, int64_t batch) {
  const auto handle =
      c10::Dispatcher::singleton().findSchemaOrThrow(op.schema.c_str(), op.overload.c_str());
  std::vector<c10::IValue> stack;
  for (const Argument& argument : op.arguments) {
    stack.push_back(std::visit(ToIValue{in, batch}, argument));
  }
  handle.callBoxed(&stack);
  Tensors results;
  for (const c10::IValue& value : stack) collect(value, results);
  return results.at(static_cast<size_t>(op.result));
}

}  // namespace ptq::ir
