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

std::string node_text(const ir::Node& node) {
  const auto* opaque = node.as<ir::Opaque>();
  return node.name + " (" + (opaque ? opaque->schema : std::string(ir::op_name(node.op))) + ")";
}

}  // namespace ptq::import
