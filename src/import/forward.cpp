#include "import/forward.h"

#include <ATen/core/jit_type.h>

#include <algorithm>

#include "ptq/base/error.h"

namespace ptq::import {

void check_arguments(const c10::FunctionSchema& forward) {
  const auto& arguments = forward.arguments();
  std::string required;
  size_t count = 0;
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (i > 1 && arguments[i].default_value()) continue;
    required += (count++ == 0 ? "" : ", ") + arguments[i].name();
  }
  if (count != 1) {
    throw ImportError("forward takes " + std::to_string(count) + " inputs (" + required +
                      ") instead of one batch of images");
  }
  if (!c10::TensorType::get()->isSubtypeOf(*arguments[1].type())) {
    throw ImportError("forward takes a " + arguments[1].type()->annotation_str() +
                      " instead of a tensor of images");
  }
}

std::vector<c10::IValue> forward_arguments(const c10::FunctionSchema& forward,
                                           const at::Tensor& images) {
  std::vector<c10::IValue> values{images};
  for (size_t i = 2; i < forward.arguments().size(); ++i) {
    values.push_back(*forward.arguments()[i].default_value());
  }
  return values;
}

at::Tensor logits_of(const c10::IValue& returned) {
  if (returned.isTensor()) return returned.toTensor();
  if (!returned.isTuple()) {
    throw ImportError("forward returns a " + returned.type()->annotation_str() +
                      " instead of one tensor");
  }
  const auto& elements = returned.toTupleRef().elements();
  const auto nones = std::count_if(elements.begin(), elements.end(),
                                   [](const c10::IValue& element) { return element.isNone(); });
  if (elements.empty() || !elements[0].isTensor() ||
      static_cast<size_t>(nones) + 1 != elements.size()) {
    throw ImportError("forward returns a tuple of " + std::to_string(elements.size()) +
                      " values instead of one tensor");
  }
  return elements[0].toTensor();
}

}  // namespace ptq::import
