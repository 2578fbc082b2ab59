#include "support/script_model.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <regex>

namespace ptq::support {

namespace {

/// Two classes of one name cannot be saved in one file.
c10::QualifiedName new_class_name() {
  static int count = 0;
  return c10::QualifiedName("__torch__.Model" + std::to_string(count++));
}

}  // namespace

struct ScriptModel::Impl {
  torch::jit::Module module{new_class_name(), std::make_shared<torch::jit::CompilationUnit>()};
};

ScriptModel::ScriptModel() : impl_(std::make_unique<Impl>()) {}
ScriptModel::~ScriptModel() = default;

ScriptModel& ScriptModel::parameter(const std::string& name, const at::Tensor& value) {
  impl_->module.register_parameter(name, value, false);
  return *this;
}

ScriptModel& ScriptModel::buffer(const std::string& name, const at::Tensor& value) {
  impl_->module.register_buffer(name, value);
  return *this;
}

ScriptModel& ScriptModel::attribute(const std::string& name, bool value) {
  impl_->module.register_attribute(name, c10::BoolType::get(), value);
  return *this;
}

ScriptModel& ScriptModel::child(const std::string& name, const ScriptModel& module) {
  impl_->module.register_module(name, module.impl_->module);
  return *this;
}

ScriptModel& ScriptModel::code(const std::string& methods) {
  impl_->module.define(methods);
  return *this;
}

void ScriptModel::save(const std::string& path) const { impl_->module.save(path); }

at::Tensor reference_forward(const std::string& path, const at::Tensor& images) {
  torch::jit::setGraphExecutorOptimize(false);
  torch::jit::Module module = torch::jit::load(path, at::Device(at::kCPU));
  module.eval();
  for (auto parameter : module.parameters()) parameter.set_data(parameter.to(at::kFloat));
  const c10::IValue output = module.forward({images});
  const c10::IValue& first = output.isTuple() ? output.toTupleRef().elements()[0] : output;
  return first.toTensor().detach();
}

std::vector<ConformanceModel> conformance_models() {
  std::vector<ConformanceModel> models;
  const char* folder = std::getenv("PTQ_CONFORMANCE_MODELS");
  if (folder == nullptr) return models;
  const std::regex pattern("(.+)-([0-9]+)-[a-z]+");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string stem = entry.path().stem().string();
    std::smatch match;
    if (entry.path().extension() != ".pt" || !std::regex_match(stem, match, pattern)) continue;
    models.push_back({entry.path().string(), stem, std::stoll(match[2])});
  }
  std::sort(models.begin(), models.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return models;
}

}  // namespace ptq::support
