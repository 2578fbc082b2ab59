#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/cache_pack.h"

namespace ptq {

/// What a cache holds.
enum class CacheKind { kCrop, kAnswers, kScales, kChecks };
inline constexpr size_t kCacheKinds = 4;

/// Results in a folder, for later runs and other programs, under keys that say all that they follow
/// from (base/hash.h: SHA-256 in hexadecimal digits): so nothing in it is ever out of date.
///
/// Entries are written in packs of 64 MiB, which appear complete or not at all, and until then are
/// found in memory; several processes may use a folder at once. Every entry is checked when it is
/// read; a damaged one counts as missing, and its pack goes. Where the folder holds more than it
/// may, packs go that were not used for the longest time. Several threads may use a cache at once.
/// What cannot be written is left out: take_notes() says so.
class ContentCache {
 public:
  /// Of an entry; valid as long as they are held.
  struct Bytes {
    std::shared_ptr<const uint8_t> data;
    size_t size = 0;
  };

  /// Makes the folder if it is missing. Throws OutputError if it cannot be made or written to.
  ContentCache(std::string directory, int64_t most_bytes);
  /// Writes what was put.
  ~ContentCache();
  ContentCache(const ContentCache&) = delete;
  ContentCache& operator=(const ContentCache&) = delete;

  /// Nothing where it was never put, is damaged, or has gone.
  std::optional<Bytes> find(CacheKind kind, const std::string& key);
  void put(CacheKind kind, const std::string& key, const void* data, size_t size);

  /// Writes what was put since, and frees room.
  void flush();

  /// Entries found and put since the last call.
  struct Counts {
    int64_t found = 0;
    int64_t made = 0;
  };
  Counts take_counts(CacheKind kind);
  /// What was damaged or could not be written since the last call, a sentence each.
  std::vector<std::string> take_notes();
  const std::string& directory() const { return directory_; }

 private:
  struct Place {
    std::shared_ptr<PackReader> pack;
    size_t entry = 0;
  };

  /// All of them with the mutex locked.
  void open_pack(const std::string& path);
  void write_pack();
  void remove_pack(const PackReader& pack);
  void free_room() const;

  const std::string directory_;
  const int64_t most_bytes_;
  std::mutex mutex_;
  std::unordered_map<std::string, Place> places_;
  std::unique_ptr<PackWriter> writing_;
  /// A pack could not be begun, and the next ones could not either.
  bool cannot_write_ = false;
  /// What it holds: less than a pack.
  std::unordered_map<std::string, Bytes> unwritten_;
  /// Keys of what this program has put.
  std::unordered_set<std::string> made_;
  std::array<Counts, kCacheKinds> counts_ = {};
  std::vector<std::string> notes_;
};

}  // namespace ptq
