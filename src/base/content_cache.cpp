#include "base/content_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "ptq/base/error.h"

namespace ptq {
namespace {

namespace fs = std::filesystem;
using Clock = fs::file_time_type::clock;

constexpr uint64_t kPackBytes = uint64_t{64} << 20;
constexpr const char* kSuffix = ".pack";
constexpr const char* kPartial = ".pack.partial-";

std::string new_pack_name() {
  std::random_device random;
  char name[40];
  std::snprintf(name, sizeof name, "%08x%08x%08x%s", random(), random(), random(), kSuffix);
  return name;
}

struct FoundFile {
  fs::path path;
  uint64_t bytes = 0;
  fs::file_time_type used;
};

std::vector<FoundFile> files_in(const std::string& directory, bool (*wanted)(const std::string&)) {
  std::vector<FoundFile> files;
  std::error_code gone;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, gone)) {
    if (!wanted(entry.path().filename().string()) || !entry.is_regular_file(gone)) continue;
    const FoundFile file{entry.path(), entry.file_size(gone), entry.last_write_time(gone)};
    if (!gone) files.push_back(file);
  }
  std::sort(files.begin(), files.end(),
            [](const FoundFile& a, const FoundFile& b) { return a.used < b.used; });
  return files;
}

/// Only what new_pack_name() has named: other programs have packs too, git for one.
bool is_pack(const std::string& name) {
  constexpr size_t kDigits = 24;
  return name.find_first_not_of("0123456789abcdef") == kDigits && name.substr(kDigits) == kSuffix;
}
bool is_partial(const std::string& name) { return name.find(kPartial) != std::string::npos; }

/// A process that was killed leaves its pack behind. One that lives writes on, or has lost little.
void remove_abandoned(const std::string& directory) {
  for (const FoundFile& file : files_in(directory, is_partial)) {
    std::error_code ignored;
    if (Clock::now() - file.used > std::chrono::hours(1)) fs::remove(file.path, ignored);
  }
}

}  // namespace

ContentCache::ContentCache(std::string directory, int64_t most_bytes)
    : directory_(std::move(directory)), most_bytes_(most_bytes) {
  std::error_code failure;
  fs::create_directories(directory_, failure);
  std::error_code ignored;
  if (!fs::is_directory(directory_, ignored)) {
    throw OutputError(directory_ + " cannot be made: " + failure.message());
  }
  require_writable((fs::path(directory_) / "lock").string());
  remove_abandoned(directory_);
  for (const FoundFile& file : files_in(directory_, is_pack)) open_pack(file.path.string());
}

ContentCache::~ContentCache() { flush(); }

void ContentCache::open_pack(const std::string& path) {
  try {
    const auto pack = std::make_shared<PackReader>(path);
    for (size_t i = 0; i < pack->entries().size(); ++i) {
      places_[pack->entries()[i].key] = {pack, i};
    }
  } catch (const DataError& error) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return;  // another process removed it
    notes_.push_back(std::string(error.what()) + ": what it held is made anew");
    fs::remove(path, ignored);
  }
}

std::optional<ContentCache::Bytes> ContentCache::find(CacheKind kind, const std::string& key) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto unwritten = unwritten_.find(key);
  if (unwritten != unwritten_.end()) {
    ++counts_[static_cast<size_t>(kind)].found;
    return unwritten->second;
  }
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  const Place place = found->second;
  // Others look meanwhile: it may come from a disk.
  lock.unlock();
  const std::shared_ptr<const uint8_t> data = place.pack->read(place.entry);
  lock.lock();
  if (!data) {
    remove_pack(*place.pack);
    return std::nullopt;
  }
  ++counts_[static_cast<size_t>(kind)].found;
  return Bytes{data, place.pack->entries()[place.entry].size};
}

/// Entries of a pack that has one damaged are not believed either.
void ContentCache::remove_pack(const PackReader& pack) {
  std::error_code ignored;
  if (fs::remove(pack.path(), ignored)) {
    notes_.push_back(pack.path() + " is damaged: what it held is made anew");
  }
  for (const PackEntry& entry : pack.entries()) {
    const auto found = places_.find(entry.key);
    if (found != places_.end() && found->second.pack.get() == &pack) places_.erase(found);
  }
}

void ContentCache::put(CacheKind kind, const std::string& key, const void* data, size_t size) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Several threads may have looked for it in vain at the same time.
  if (cannot_write_ || !made_.insert(key).second) return;
  if (!writing_) {
    try {
      writing_ = std::make_unique<PackWriter>((fs::path(directory_) / new_pack_name()).string());
    } catch (const OutputError& error) {
      notes_.emplace_back(error.what());
      cannot_write_ = true;
      return;
    }
  }
  ++counts_[static_cast<size_t>(kind)].made;
  writing_->add(key, data, size);
  if (writing_->bytes() >= kPackBytes) return write_pack();
  const auto copy = std::make_shared<const std::string>(static_cast<const char*>(data), size);
  unwritten_[key] = {{copy, reinterpret_cast<const uint8_t*>(copy->data())}, size};
}

void ContentCache::flush() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (writing_) {
    write_pack();
  } else {
    free_room();  // the folder may have been filled under a larger limit
  }
}

void ContentCache::write_pack() {
  const std::unique_ptr<PackWriter> pack = std::move(writing_);
  unwritten_.clear();
  try {
    pack->commit();
    open_pack(pack->path());
    free_room();
  } catch (const OutputError& error) {
    notes_.emplace_back(error.what());
  }
}

/// One process at a time: two would remove twice as much.
void ContentCache::free_room() const {
  const int lock =
      open((fs::path(directory_) / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0) return;
  if (flock(lock, LOCK_EX) == 0) {
    const std::vector<FoundFile> files = files_in(directory_, is_pack);
    uint64_t bytes = 0;
    for (const FoundFile& file : files) bytes += file.bytes;
    for (const FoundFile& file : files) {
      if (bytes <= static_cast<uint64_t>(most_bytes_)) break;
      std::error_code ignored;
      fs::remove(file.path, ignored);
      bytes -= file.bytes;
    }
  }
  close(lock);
}

ContentCache::Counts ContentCache::take_counts(CacheKind kind) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(counts_[static_cast<size_t>(kind)], {});
}

std::vector<std::string> ContentCache::take_notes() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(notes_, {});
}

}  // namespace ptq
