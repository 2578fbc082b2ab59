#include "import/module_names.h"

namespace ptq::import {
namespace {

const void* storage_of(const at::Tensor& tensor) { return tensor.storage().unsafeGetStorageImpl(); }

bool same_geometry(const at::Tensor& a, const at::Tensor& b) {
  return a.storage_offset() == b.storage_offset() && a.sizes() == b.sizes() &&
         a.strides() == b.strides() && a.scalar_type() == b.scalar_type();
}

}  // namespace

void ModuleNames::add_tensor(std::string name, const at::Tensor& tensor) {
  if (this->tensor(tensor).empty()) {
    tensors_.emplace(storage_of(tensor), Named{std::move(name), tensor});
  }
}

const ModuleInfo* ModuleNames::module(const void* object) const {
  const auto found = modules_.find(object);
  return found == modules_.end() ? nullptr : &found->second;
}

std::string ModuleNames::tensor(const at::Tensor& tensor) const {
  if (!tensor.has_storage()) return {};
  const auto [first, last] = tensors_.equal_range(storage_of(tensor));
  for (auto entry = first; entry != last; ++entry) {
    if (same_geometry(entry->second.tensor, tensor)) return entry->second.name;
  }
  return {};
}

}  // namespace ptq::import
