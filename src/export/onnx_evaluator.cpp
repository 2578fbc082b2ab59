#include "export/onnx_evaluator.h"

#include <c10/core/InferenceMode.h>

#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "export/onnx_evaluation.h"
#include "ptq/base/error.h"
#include "ptq/base/first_sentence.h"

namespace ptq::exporting {
namespace {

using Values = std::unordered_map<std::string, OnnxValue>;

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

/// A node that depends on the images.
struct Step {
  const onnx::NodeProto* node;
  /// Values that nothing reads after this step.
  std::vector<std::string> last_reads;
};

class Evaluator final : public ExportedModel {
 public:
  Evaluator(onnx::ModelProto model, std::string path);

  at::Tensor run(const at::Tensor& images) override;
  std::vector<std::pair<std::string, at::Tensor>> values(const at::Tensor& images) override;

 private:
  using Seen = std::function<void(const std::string& name, const OnnxValue& value)>;

  void read_constants();
  void plan();
  OnnxValue compute(const onnx::NodeProto& node, const Values& values) const;
  at::Tensor run(const at::Tensor& images, const Seen& seen) const;
  const std::string& output() const { return model_.graph().output(0).name(); }

  onnx::ModelProto model_;
  std::string path_;
  Values constants_;
  std::vector<Step> steps_;
};

Evaluator::Evaluator(onnx::ModelProto model, std::string path)
    : model_(std::move(model)), path_(std::move(path)) {
  if (model_.graph().input_size() != 1 || model_.graph().output_size() != 1) {
    throw ExportError(path_ + " does not have one input and one output");
  }
  const c10::InferenceMode no_gradients;
  read_constants();
  plan();
}

void Evaluator::read_constants() {
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

/// Computes what does not depend on the images, and lists the rest.
void Evaluator::plan() {
  std::unordered_map<std::string, size_t> last_step;
  for (const onnx::NodeProto& node : model_.graph().node()) {
    if (functions().count(node.op_type()) == 0) {
      throw ExportError(path_ + ": " + node.name() + " is the operator " + node.op_type() +
                        ", which cannot be read");
    }
    const bool is_constant = std::all_of(
        node.input().begin(), node.input().end(),
        [&](const std::string& name) { return name.empty() || constants_.count(name) > 0; });
    if (is_constant) {
      constants_[node.output(0)] = compute(node, constants_);
      continue;
    }
    for (const std::string& name : node.input()) last_step[name] = steps_.size();
    steps_.push_back({&node, {}});
  }
  for (const auto& [name, step] : last_step) {
    if (name != output()) steps_[step].last_reads.push_back(name);
  }
}

OnnxValue Evaluator::compute(const onnx::NodeProto& node, const Values& values) const {
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
      throw ExportError(path_ + ": " + node.name() + " reads " + name + ", which nothing makes");
    }
  }
  try {
    return functions().at(node.op_type())(OnnxCall(node, std::move(inputs)));
  } catch (const c10::Error& error) {
    throw ExportError(path_ + ": " + node.name() + " fails: " + first_sentence(error));
  }
}

at::Tensor Evaluator::run(const at::Tensor& images, const Seen& seen) const {
  const c10::InferenceMode no_gradients;
  Values values{{model_.graph().input(0).name(), {images.contiguous()}}};
  for (const Step& step : steps_) {
    OnnxValue value = compute(*step.node, values);
    if (seen) seen(step.node->output(0), value);
    values[step.node->output(0)] = std::move(value);
    for (const std::string& name : step.last_reads) values.erase(name);
  }
  return values.at(output()).tensor.contiguous();
}

at::Tensor Evaluator::run(const at::Tensor& images) { return run(images, nullptr); }

std::vector<std::pair<std::string, at::Tensor>> Evaluator::values(const at::Tensor& images) {
  std::vector<std::pair<std::string, at::Tensor>> floats;
  run(images, [&](const std::string& name, const OnnxValue& value) {
    if (value.type == onnx::TensorProto::FLOAT) floats.emplace_back(name, value.tensor);
  });
  return floats;
}

}  // namespace

std::unique_ptr<ExportedModel> load_onnx(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw ExportError(path + " cannot be read");
  onnx::ModelProto model;
  if (!model.ParseFromIstream(&stream) || !model.has_graph()) {
    throw ExportError(path + " is not an ONNX model");
  }
  return std::make_unique<Evaluator>(std::move(model), path);
}

}  // namespace ptq::exporting
