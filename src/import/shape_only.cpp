#include "import/shape_only.h"

#include <ATen/ops/empty_strided.h>

#include <unordered_set>

namespace ptq::import {
namespace {

at::Tensor like(const at::Tensor& tensor, at::DeviceType device) {
  return at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(device));
}

template <class Replace>
std::vector<c10::IValue> replaced(std::vector<c10::IValue> values, Replace replace) {
  for (c10::IValue& value : values) {
    if (value.isTensor()) value = replace(value.toTensor());
  }
  return values;
}

}  // namespace

bool needs_shapes_only(const Call& call) {
  static const std::unordered_set<std::string> products = {"linear", "addmm", "matmul", "mm",
                                                           "bmm"};
  return products.count(call.name) > 0 && !is_in_place(*call.schema);
}

std::vector<c10::IValue> to_meta(std::vector<c10::IValue> values) {
  return replaced(std::move(values),
                  [](const at::Tensor& tensor) { return like(tensor, at::kMeta); });
}

std::vector<c10::IValue> to_zeros(std::vector<c10::IValue> values) {
  return replaced(std::move(values),
                  [](const at::Tensor& tensor) { return like(tensor, at::kCPU).zero_(); });
}

}  // namespace ptq::import
