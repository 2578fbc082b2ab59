#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <unordered_map>

namespace ptq::import {

/// One module of a loaded model: its dotted path, empty for the root, and whether it has no
/// submodules.
struct ModuleInfo {
  std::string path;
  bool leaf = false;
};

/// The names that a model's modules and tensors have in its state_dict, by identity. A module or
/// tensor that is reachable on two paths has the first.
class ModuleNames {
 public:
  void add_module(const void* object, ModuleInfo info) {
    modules_.emplace(object, std::move(info));
  }
  void add_tensor(std::string name, const at::Tensor& tensor);

  /// nullptr for an object that is not a module of the model.
  const ModuleInfo* module(const void* object) const;

  /// Name of the parameter or buffer that `tensor` is, or has the same elements in the same places
  /// as (a transposed transpose); empty for anything else.
  std::string tensor(const at::Tensor& tensor) const;

  /// Name of the parameter or buffer of which `tensor` is a view with all elements in their order,
  /// perhaps repeated: an expanded class token. Empty for anything else.
  std::string viewed(const at::Tensor& tensor) const;

 private:
  struct Named {
    std::string name;
    at::Tensor tensor;
  };
  std::unordered_map<const void*, ModuleInfo> modules_;
  std::unordered_multimap<const void*, Named> tensors_;
};

}  // namespace ptq::import
