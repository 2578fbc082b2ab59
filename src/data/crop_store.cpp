#include "ptq/data/crop_store.h"

namespace ptq::data {

Crop CropStore::find(const std::string& path) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = crops_.find(path);
  return found == crops_.end() ? nullptr : found->second;
}

void CropStore::keep(const std::string& path, const Crop& crop, int64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bytes_ + bytes > budget_bytes_) return;
  if (crops_.emplace(path, crop).second) bytes_ += bytes;
}

}  // namespace ptq::data
