#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/atomic_file.h"

/// One file of a cache: entries, an index of them, and the index's checksum.
namespace ptq {

struct PackEntry {
  /// SHA-256 in hexadecimal digits.
  std::string key;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t checksum = 0;
};

/// A pack that is being written.
class PackWriter {
 public:
  explicit PackWriter(std::string path);
  void add(const std::string& key, const void* data, size_t size);
  uint64_t bytes() const { return bytes_; }
  const std::string& path() const { return path_; }
  /// Call once, last. Throws OutputError.
  void commit();

 private:
  const std::string path_;
  AtomicFile file_;
  uint64_t bytes_ = 0;
  std::vector<PackEntry> entries_;
};

/// A pack that was written.
class PackReader {
 public:
  /// Throws DataError if the file is no whole pack.
  explicit PackReader(std::string path);

  const std::string& path() const { return path_; }
  const std::vector<PackEntry>& entries() const { return entries_; }
  /// The bytes of an entry, mapped, and held as long as they are used; null where they are not what
  /// was written. Called for the first time, says that the pack is used. Several threads may call
  /// it at once.
  std::shared_ptr<const uint8_t> read(size_t entry);

 private:
  const std::string path_;
  uint64_t size_ = 0;
  std::vector<PackEntry> entries_;
  std::once_flag mapping_;
  std::shared_ptr<const uint8_t> mapped_;
};

}  // namespace ptq
