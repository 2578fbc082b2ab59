#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace ptq::data {

/// The bytes of a crop, uint8 [crop, crop, 3], red first, in memory that lives as long as they are
/// held.
using Crop = std::shared_ptr<const uint8_t>;

/// Decoded crops of one size by path, for loaders of one recipe whose images overlap. Several
/// threads may use it at once.
class CropStore {
 public:
  explicit CropStore(int64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  /// Null where it was not kept.
  Crop find(const std::string& path) const;

  /// Does nothing where the budget is spent.
  void keep(const std::string& path, const Crop& crop, int64_t bytes);

 private:
  const int64_t budget_bytes_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Crop> crops_;
  int64_t bytes_ = 0;
};

}  // namespace ptq::data
