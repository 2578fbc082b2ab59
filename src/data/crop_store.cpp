#include "ptq/data/crop_store.h"

namespace ptq::data {

CropStore::Crop CropStore::find(const std::string& path) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = crops_.find(path);
  return found == crops_.end() ? nullptr : found->second;
}

void CropStore::keep(const std::string& path, const std::vector<uint8_t>& pixels) {
  const auto size = static_cast<int64_t>(pixels.size());
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bytes_ + size > budget_bytes_) return;
  const auto [place, is_new] =
      crops_.emplace(path, std::make_shared<const std::vector<uint8_t>>(pixels));
  if (is_new) bytes_ += size;
}

}  // namespace ptq::data
