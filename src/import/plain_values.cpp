#include "import/plain_values.h"

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <algorithm>

namespace ptq::import {
namespace {

bool is_other_precision(at::ScalarType type) {
  return type == at::kHalf || type == at::kBFloat16 || type == at::kDouble;
}

const char* word(at::ScalarType type) {
  if (type == at::kHalf) return "float16";
  return type == at::kBFloat16 ? "bfloat16" : "float64";
}

/// A double without dimensions is how a trace holds a number.
bool is_number(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble && tensor.dim() == 0;
}

at::Tensor as_float(const at::Tensor& tensor, Precisions& seen) {
  if (!tensor.defined() || !is_other_precision(tensor.scalar_type())) return tensor;
  if (is_number(tensor)) return tensor;
  seen.insert(tensor.scalar_type());
  return tensor.to(at::kFloat);
}

/// A list that has nothing to change stays the same list, which the model may append to.
c10::IValue plain_list(const c10::IValue& value, Precisions& seen) {
  const std::vector<at::Tensor> tensors = value.toTensorVector();
  if (std::none_of(tensors.begin(), tensors.end(), [](const at::Tensor& tensor) {
        return tensor.defined() && is_other_precision(tensor.scalar_type()) && !is_number(tensor);
      })) {
    return value;
  }
  c10::List<at::Tensor> list;
  for (const at::Tensor& tensor : tensors) list.push_back(as_float(tensor, seen));
  return list;
}

/// A type asked for is an integer argument.
bool asks_for_type(const c10::Argument& argument, const c10::IValue& value) {
  return argument.name().find("dtype") != std::string::npos && value.isInt();
}

c10::IValue plain_type(const c10::IValue& value, Precisions& seen) {
  const auto type = static_cast<at::ScalarType>(value.toInt());
  if (!is_other_precision(type)) return value;
  seen.insert(type);
  return static_cast<int64_t>(at::kFloat);
}

}  // namespace

c10::IValue plain(const c10::IValue& value, Precisions& seen) {
  if (value.isTensor()) return as_float(value.toTensor(), seen);
  if (value.isTensorList()) return plain_list(value, seen);
  if (value.isDevice()) return c10::Device(at::kCPU);
  return value;
}

void make_plain(const c10::FunctionSchema& schema, std::vector<c10::IValue>& arguments,
                Precisions& seen) {
  const auto& described = schema.arguments();
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool is_type = i < described.size() && asks_for_type(described[i], arguments[i]);
    if (is_type) arguments[i] = plain_type(arguments[i], seen);
    if (arguments[i].isDevice()) arguments[i] = c10::Device(at::kCPU);
  }
}

void make_plain(torch::jit::Module& module, Precisions& seen) {
  const auto convert = [&](at::Tensor tensor) {
    if (is_other_precision(tensor.scalar_type())) tensor.set_data(as_float(tensor, seen));
  };
  for (const auto& parameter : module.parameters()) convert(parameter);
  for (const auto& buffer : module.buffers()) convert(buffer);
}

std::string precision_note(const Precisions& seen) {
  std::string words;
  for (const at::ScalarType type : seen)
    words += (words.empty() ? "" : " and ") + std::string(word(type));
  return words.empty()
             ? words
             : "the model holds or computes " + words + " numbers; it runs in float32 here";
}

}  // namespace ptq::import
