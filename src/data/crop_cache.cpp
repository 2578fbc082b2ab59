#include "data/crop_cache.h"

#include <utility>

#include "base/environment.h"
#include "base/hash.h"
#include "data/each.h"
#include "data/item_file.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

/// Counted up when crops of some kind of file come to differ: they are Pillow's, so that is a
/// mistake put right.
constexpr int kVersion = 1;

std::string method_of(const Recipe& recipe) {
  return "crop " + std::to_string(kVersion) + "\n" + std::to_string(recipe.resize) + " " +
         std::to_string(recipe.crop) + " " +
         std::to_string(static_cast<int>(recipe.interpolation)) + "\n" +
         builds_of({"libjpeg", "libopencv_core", "libopencv_imgcodecs", "libpng", "libtiff",
                    "libwebp", "libz."}) +
         "\n";
}

}  // namespace

CropCache::CropCache(std::shared_ptr<ContentCache> cache, const Recipe& recipe)
    : cache_(std::move(cache)),
      method_(method_of(recipe)),
      crop_bytes_(static_cast<size_t>(recipe.crop * recipe.crop * 3)) {}

std::string CropCache::key_of(const std::string& path, const FileBytes& file) {
  const std::string hash = sha256({reinterpret_cast<const char*>(file.data()), file.size()});
  const std::lock_guard<std::mutex> lock(mutex_);
  hashes_[path] = hash;
  return sha256(method_ + hash);
}

Crop CropCache::find(const std::string& key) {
  const auto found = cache_->find(CacheKind::kCrop, key);
  return found && found->size == crop_bytes_ ? found->data : nullptr;
}

void CropCache::put(const std::string& key, const Crop& crop) {
  cache_->put(CacheKind::kCrop, key, crop.get(), crop_bytes_);
}

std::string CropCache::hash_of(const ImageFolder::Item& item) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = hashes_.find(item.path);
    if (found != hashes_.end()) return found->second;
  }
  const std::string hash = sha256_of_item(item);
  const std::lock_guard<std::mutex> lock(mutex_);
  return hashes_.emplace(item.path, hash).first->second;
}

std::string CropCache::key_of_all(const ImageFolder& folder, const std::vector<int64_t>& items,
                                  int threads) {
  std::vector<std::string> hashes(items.size());
  try {
    each(items.size(), threads,
         [&](size_t i) { hashes[i] = hash_of(folder.items.at(static_cast<size_t>(items[i]))); });
  } catch (const DataError&) {
    return "";
  }
  Sha256 all;
  all.add(method_);
  for (const std::string& hash : hashes) all.add(hash);
  return all.hex();
}

}  // namespace ptq::data
