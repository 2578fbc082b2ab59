#include "import/messages.h"

namespace ptq::import {

std::string shape_text(c10::IntArrayRef shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

std::string join_path(const std::string& module, const std::string& word) {
  return module.empty() ? word : module + "." + word;
}

}  // namespace ptq::import
