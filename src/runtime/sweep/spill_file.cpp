#include "runtime/sweep/spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

#include "ptq/base/error.h"

namespace ptq::runtime {
namespace {

std::string folder() {
  const char* set = std::getenv("TMPDIR");
  return set != nullptr && *set != '\0' ? set : "/tmp";
}

[[noreturn]] void fail(int error) {
  throw OutputError("activations beyond --activation-memory cannot be stored in " + folder() +
                    ": " + std::strerror(error));
}

/// For file systems that have no unnamed files.
int open_and_unlink() {
  std::string path = folder() + "/ptq-activations-XXXXXX";
  const int file = mkstemp(path.data());
  if (file >= 0) unlink(path.c_str());
  return file;
}

}  // namespace

SpillFile::~SpillFile() {
  if (file_ >= 0) close(file_);
}

void SpillFile::open() {
  if (file_ >= 0) return;
  file_ = ::open(folder().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file_ < 0) file_ = open_and_unlink();
  if (file_ < 0) fail(errno);
}

/// The first place that is large enough, else more at the end.
int64_t SpillFile::take(int64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  open();
  for (auto place = free_.begin(); place != free_.end(); ++place) {
    if (place->second < bytes) continue;
    const auto [offset, size] = *place;
    free_.erase(place);
    if (size > bytes) free_.emplace(offset + bytes, size - bytes);
    return offset;
  }
  const int64_t offset = size_;
  size_ += bytes;
  return offset;
}

int64_t SpillFile::write(const void* data, int64_t bytes) {
  const int64_t offset = take(bytes);
  const auto* from = static_cast<const char*>(data);
  for (int64_t done = 0; done < bytes;) {
    const ssize_t count =
        pwrite(file_, from + done, static_cast<size_t>(bytes - done), offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(count == 0 ? ENOSPC : errno);
    done += count;
  }
  return offset;
}

void SpillFile::read(int64_t offset, void* data, int64_t bytes) const {
  auto* to = static_cast<char*>(data);
  for (int64_t done = 0; done < bytes;) {
    const ssize_t count = pread(file_, to + done, static_cast<size_t>(bytes - done), offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(count == 0 ? EIO : errno);
    done += count;
  }
}

void SpillFile::release(int64_t offset, int64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto place = free_.emplace(offset, bytes).first;
  const auto next = std::next(place);
  if (next != free_.end() && offset + bytes == next->first) {
    place->second += next->second;
    free_.erase(next);
  }
  if (place == free_.begin()) return;
  const auto before = std::prev(place);
  if (before->first + before->second != offset) return;
  before->second += place->second;
  free_.erase(place);
}

}  // namespace ptq::runtime
