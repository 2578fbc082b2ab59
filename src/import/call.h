#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <optional>
#include <string>
#include <vector>

namespace ptq::import {

/// One operator call that ran: its arguments as they were before, its tensor results in order,
/// lists flattened.
struct Call {
  /// Without namespace and without the underscore of the in-place form: "conv2d", "add".
  std::string name;
  const c10::FunctionSchema* schema = nullptr;
  std::vector<c10::IValue> arguments;
  std::vector<at::Tensor> results;

  bool has(const char* argument) const;
  /// nullptr if the operator has no such argument.
  const c10::IValue* find(const char* argument) const;
  /// Throws InternalError if the operator has no such argument.
  const c10::IValue& argument(const char* name) const;

  at::Tensor tensor(const char* argument) const;
  /// Undefined where the argument is None.
  at::Tensor optional_tensor(const char* argument) const;
  int64_t integer(const char* argument) const;
  double number(const char* argument) const;
  bool flag(const char* argument) const;
  std::vector<int64_t> integers(const char* argument) const;
  const at::Tensor& result() const { return results.front(); }
};

/// Every tensor in `value`, which may be a tensor, a list or a tuple.
void collect_tensors(const c10::IValue& value, std::vector<at::Tensor>& tensors);
std::vector<at::Tensor> tensors_of(const std::vector<c10::IValue>& values);

/// "conv2d" from "aten::conv2d", "add" from "aten::add_"; dunder names keep their underscores.
std::string plain_name(const std::string& qualified);

/// Whether the operator writes into its first argument.
bool is_in_place(const c10::FunctionSchema& schema);

}  // namespace ptq::import
