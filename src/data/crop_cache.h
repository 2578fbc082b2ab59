#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/content_cache.h"
#include "data/decoders.h"
#include "ptq/data/crop_store.h"
#include "ptq/data/image_folder.h"
#include "ptq/data/recipe.h"

namespace ptq::data {

/// Crops of one recipe in a cache, by the contents of their files. Several threads may use it at
/// once.
class CropCache {
 public:
  CropCache(std::shared_ptr<ContentCache> cache, const Recipe& recipe);

  /// The key of the crop of a file with these bytes. They are remembered by `path`.
  std::string key_of(const std::string& path, const FileBytes& file);
  /// Null where there is none.
  Crop find(const std::string& key);
  void put(const std::string& key, const Crop& crop);

  /// One key of the crops of `items` in their order; empty where a file cannot be read. Reads the
  /// files whose contents are not remembered yet, `threads` at a time.
  std::string key_of_all(const ImageFolder& folder, const std::vector<int64_t>& items, int threads);

 private:
  std::string hash_of(const ImageFolder::Item& item);

  const std::shared_ptr<ContentCache> cache_;
  /// What crops follow from beside their files.
  const std::string method_;
  const size_t crop_bytes_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::string> hashes_;
};

}  // namespace ptq::data
