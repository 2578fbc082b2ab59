#include "export/onnx/read/program.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "base/first_sentence.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

const OnnxFunctions& functions() {
  static const OnnxFunctions kFunctions = [] {
    OnnxFunctions all;
    add_elementwise_functions(all);
    add_layer_functions(all);
    add_pool_functions(all);
    add_shape_functions(all);
    add_quantization_functions(all);
    return all;
  }();
  return kFunctions;
}

}  // namespace

onnx::ModelProto read_onnx_model(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw ExportError(path + " cannot be read");
  onnx::ModelProto model;
  if (!model.ParseFromIstream(&stream) || !model.has_graph()) {
    throw ExportError(path + " is not an ONNX model");
  }
  return model;
}

OnnxProgram::OnnxProgram(const std::string& path) : path_(path), model_(read_onnx_model(path)) {
  if (model_.graph().input_size() != 1 || model_.graph().output_size() != 1) {
    throw ExportError(path_ + " does not have one input and one output");
  }
  const c10::InferenceMode no_gradients;
  read_constants();
  compute_constants();
  const bool is_made =
      std::any_of(nodes_.begin(), nodes_.end(),
                  [this](const onnx::NodeProto* node) { return node->output(0) == output(); });
  if (!is_made && input() != output()) {
    throw ExportError(path_ + ": no node computes " + output() + " from the input");
  }
}

void OnnxProgram::read_constants() {
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  for (onnx::TensorProto& tensor : *model_.mutable_graph()->mutable_initializer()) {
    try {
      constants_[tensor.name()] = to_value(tensor, folder);
    } catch (const ExportError& error) {
      throw ExportError(path_ + ": " + error.what());
    }
    tensor.clear_raw_data();
  }
}

void OnnxProgram::compute_constants() {
  for (const onnx::NodeProto& node : model_.graph().node()) {
    if (node.output_size() == 0) throw ExportError(path_ + ": " + node.name() + " gives nothing");
    if (functions().count(node.op_type()) == 0) {
      throw ExportError(path_ + ": " + node.name() + " is the operator " + node.op_type() +
                        ", which cannot be read");
    }
    const bool is_constant = std::all_of(
        node.input().begin(), node.input().end(),
        [&](const std::string& name) { return name.empty() || constants_.count(name) > 0; });
    if (is_constant) {
      constants_[node.output(0)] = compute(node, {});
    } else {
      nodes_.push_back(&node);
    }
  }
}

OnnxValue OnnxProgram::compute(const onnx::NodeProto& node, const OnnxValues& values) const {
  std::vector<OnnxValue> inputs;
  for (const std::string& name : node.input()) {
    const auto found = values.find(name);
    const auto constant = constants_.find(name);
    if (found != values.end()) {
      inputs.push_back(found->second);
    } else if (constant != constants_.end()) {
      inputs.push_back(constant->second);
    } else if (name.empty()) {
      inputs.emplace_back();
    } else {
      throw ExportError(path_ + ": " + node.name() + " reads " + name + ", which nothing produces");
    }
  }
  try {
    return functions().at(node.op_type())(OnnxCall(node, std::move(inputs)));
  } catch (const c10::Error& error) {
    throw ExportError(path_ + ": " + node.name() + " fails: " + first_sentence(error));
  } catch (const std::logic_error& error) {  // of std::vector: attributes that do not fit
    throw ExportError(path_ + ": " + node.name() + " fails: " + error.what());
  }
}

}  // namespace ptq::exporting
