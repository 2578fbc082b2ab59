#include "import/module_names.h"

#include <algorithm>

namespace ptq::import {
namespace {

const void* storage_of(const at::Tensor& tensor) { return tensor.storage().unsafeGetStorageImpl(); }

bool same_geometry(const at::Tensor& a, const at::Tensor& b) {
  return a.storage_offset() == b.storage_offset() && a.sizes() == b.sizes() &&
         a.strides() == b.strides() && a.scalar_type() == b.scalar_type();
}

/// `tensor` without the repetition that expanding made.
at::Tensor unexpanded(at::Tensor tensor) {
  for (int64_t dim = 0; dim < tensor.dim(); ++dim) {
    if (tensor.stride(dim) == 0)
      tensor = tensor.narrow(dim, 0, std::min<int64_t>(1, tensor.size(dim)));
  }
  return tensor;
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

std::string ModuleNames::viewed(const at::Tensor& tensor) const {
  if (!tensor.has_storage()) return {};
  const at::Tensor base = unexpanded(tensor);
  const auto [first, last] = tensors_.equal_range(storage_of(tensor));
  for (auto entry = first; entry != last; ++entry) {
    const at::Tensor& named = entry->second.tensor;
    if (base.is_contiguous() && named.is_contiguous() && base.numel() == named.numel() &&
        base.storage_offset() == named.storage_offset()) {
      return entry->second.name;
    }
  }
  return {};
}

}  // namespace ptq::import
