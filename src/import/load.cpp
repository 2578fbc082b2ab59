#include "import/load.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/isnan.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "import/load_reason.h"
#include "import/messages.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

using torch::jit::Module;

Module read(const std::string& path) {
  try {
    return torch::jit::load(path, at::Device(at::kCPU));
  } catch (const c10::Error& error) {
    throw ImportError("cannot be read as TorchScript: " + load_reason(error));
  }
}

void check_finite(const std::string& name, const at::Tensor& tensor, bool infinite_allowed) {
  if (!at::isFloatingType(tensor.scalar_type())) return;
  const bool good = infinite_allowed ? !at::isnan(tensor).any().item<bool>()
                                     : at::isfinite(tensor).all().item<bool>();
  if (!good) throw ImportError(name + " holds values that are not finite (NaN or infinity)");
}

/// A buffer may hold infinities on purpose (attention masks), running statistics may not.
bool is_statistic(const std::string& name) {
  return name.find("running_mean") != std::string::npos ||
         name.find("running_var") != std::string::npos;
}

void check_weights(const Module& module) {
  for (const auto& parameter : module.named_parameters()) {
    check_finite(parameter.name, parameter.value, false);
  }
  for (const auto& buffer : module.named_buffers()) {
    check_finite(buffer.name, buffer.value, !is_statistic(buffer.name));
  }
}

}  // namespace

Module load_module(const std::string& path) {
  Module module = read(path);
  module.eval();
  check_weights(module);
  return module;
}

ModuleNames names_of(const Module& module) {
  ModuleNames names;
  for (const auto& entry : module.named_modules()) {
    names.add_module(entry.value._ivalue().get(), {entry.name, entry.value.children().size() == 0});
  }
  for (const auto& entry : module.named_parameters()) names.add_tensor(entry.name, entry.value);
  for (const auto& entry : module.named_buffers()) names.add_tensor(entry.name, entry.value);
  return names;
}

}  // namespace ptq::import
