#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace ptq::support {

/// A TorchScript model written down in a test: tensors and submodules first, then methods in
/// TorchScript, then save().
class ScriptModel {
 public:
  ScriptModel();
  ~ScriptModel();
  ScriptModel(const ScriptModel&) = delete;
  ScriptModel& operator=(const ScriptModel&) = delete;

  ScriptModel& parameter(const std::string& name, const at::Tensor& value);
  ScriptModel& buffer(const std::string& name, const at::Tensor& value);
  ScriptModel& attribute(const std::string& name, bool value);
  /// The same child under two names is a shared module.
  ScriptModel& child(const std::string& name, const ScriptModel& module);
  /// "def forward(self, x): ..."
  ScriptModel& code(const std::string& methods);
  void save(const std::string& path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What the module itself answers, by LibTorch's executor, without optimization: its output or the
/// first element of it, float32. Attention takes its unfused path.
at::Tensor reference_forward(const std::string& path, const at::Tensor& images);

/// One file for a conformance test and the image size it takes.
struct ConformanceModel {
  std::string path;
  std::string name;
  int64_t image_size = 0;
};

/// Every MODEL-SIZE-*.pt of the folder in PTQ_CONFORMANCE_MODELS, sorted; empty where that is unset
/// (scripts/export_torchvision.py --all writes such a folder).
std::vector<ConformanceModel> conformance_models();

}  // namespace ptq::support
