#include "base/cache_pack.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "ptq/base/error.h"

namespace ptq {
namespace {

constexpr size_t kKey = 64;
constexpr size_t kRecord = kKey + 3 * sizeof(uint64_t);
constexpr uint64_t kAlignment = 64;
/// Packs are closed with 64 MiB, in which a record takes 64 bytes or more.
constexpr uint64_t kMostRecords = uint64_t{2} << 20;
constexpr char kMagic[] = "ptqpack1";

/// Behind the index: its number of records, its SHA-256, and what kind of file this is.
struct Footer {
  uint64_t records;
  char sum[kKey];
  char magic[8];
};

std::string to_record(const PackEntry& entry) {
  const uint64_t numbers[] = {entry.offset, entry.size, entry.checksum};
  return entry.key + std::string(reinterpret_cast<const char*>(numbers), sizeof numbers);
}

PackEntry from_record(const char* record) {
  uint64_t numbers[3];
  std::memcpy(numbers, record + kKey, sizeof numbers);
  return {std::string(record, kKey), numbers[0], numbers[1], numbers[2]};
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : handle_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (handle_ >= 0 && fstat(handle_, &status) == 0) size_ = static_cast<uint64_t>(status.st_size);
  }
  ~OpenFile() {
    if (handle_ >= 0) close(handle_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int handle() const { return handle_; }
  uint64_t size() const { return size_; }
  bool read(uint64_t offset, void* out, size_t size) const {
    return pread(handle_, out, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
  }

 private:
  const int handle_;
  uint64_t size_ = 0;
};

/// Null where it is not there any more, or of another size.
std::shared_ptr<const uint8_t> map(const std::string& path, uint64_t size) {
  const OpenFile file(path);
  if (file.size() != size) return nullptr;
  void* mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.handle(), 0);
  if (mapped == MAP_FAILED) return nullptr;
  return {static_cast<const uint8_t*>(mapped),
          [size](const uint8_t* bytes) { munmap(const_cast<uint8_t*>(bytes), size); }};
}

}  // namespace

PackWriter::PackWriter(std::string path) : path_(std::move(path)), file_(path_) {}

void PackWriter::add(const std::string& key, const void* data, size_t size) {
  if (key.size() != kKey) throw InternalError("a cache's key is a SHA-256");
  const uint64_t padding = (kAlignment - bytes_ % kAlignment) % kAlignment;
  file_.stream() << std::string(padding, '\0');
  bytes_ += padding;
  file_.stream().write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
  entries_.push_back({key, bytes_, size, checksum64(data, size)});
  bytes_ += size;
}

void PackWriter::commit() {
  std::string index;
  for (const PackEntry& entry : entries_) index += to_record(entry);
  Footer footer = {entries_.size(), {}, {}};
  std::memcpy(footer.sum, sha256(index).data(), kKey);
  std::memcpy(footer.magic, kMagic, sizeof footer.magic);
  file_.stream() << index << std::string(reinterpret_cast<const char*>(&footer), sizeof footer);
  file_.commit();
}

PackReader::PackReader(std::string path) : path_(std::move(path)) {
  const OpenFile file(path_);
  Footer footer = {};
  const bool has_footer = file.size() >= sizeof footer &&
                          file.read(file.size() - sizeof footer, &footer, sizeof footer) &&
                          std::memcmp(footer.magic, kMagic, sizeof footer.magic) == 0;
  const uint64_t before = file.size() - sizeof footer;
  if (!has_footer || footer.records > std::min(kMostRecords, before / kRecord))
    throw DataError(path_ + " is no whole pack");
  std::string index(footer.records * kRecord, '\0');
  size_ = file.size();
  const uint64_t begin = before - index.size();
  if (!file.read(begin, index.data(), index.size()) ||
      sha256(index) != std::string(footer.sum, kKey)) {
    throw DataError(path_ + " is damaged");
  }
  for (size_t at = 0; at < index.size(); at += kRecord) {
    entries_.push_back(from_record(index.data() + at));
    const PackEntry& entry = entries_.back();
    if (entry.offset > begin || entry.size > begin - entry.offset) {
      throw DataError(path_ + " is damaged");
    }
  }
}

std::shared_ptr<const uint8_t> PackReader::read(size_t at) {
  std::call_once(mapping_, [&] {
    mapped_ = map(path_, size_);
    utimensat(AT_FDCWD, path_.c_str(), nullptr, 0);
  });
  if (!mapped_) return nullptr;
  const PackEntry& entry = entries_.at(at);
  const uint8_t* bytes = mapped_.get() + entry.offset;
  if (checksum64(bytes, entry.size) != entry.checksum) return nullptr;
  return {mapped_, bytes};
}

}  // namespace ptq
