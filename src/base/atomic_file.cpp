#include "ptq/base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "ptq/base/error.h"
#include "ptq/base/supervisor.h"

namespace ptq {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

/// Not made of the whole name, which may be as long as a name can be already.
std::string temporary_name(const std::string& path) {
  constexpr size_t kKept = 100;
  static std::atomic<int> count = 0;
  const fs::path name = "." + fs::path(path).filename().string().substr(0, kKept) + ".partial-" +
                        std::to_string(getpid()) + "-" + std::to_string(count++);
  return (folder_of(path) / name).string();
}

/// 0, or why what was written may not be on the disk.
int sync(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (file < 0) return errno;
  const int failure = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  // Some file systems cannot be asked.
  return failure == EINVAL ? 0 : failure;
}

}  // namespace

void require_writable(const std::string& path) {
  std::error_code ignored;
  const fs::path folder = folder_of(path);
  if (fs::path(path).filename().empty() || fs::is_directory(path, ignored)) {
    throw OutputError(path + " is a folder, not a file name");
  }
  if (!fs::is_directory(folder, ignored)) {
    throw OutputError(path + " cannot be written: there is no folder " + folder.string());
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    throw OutputError(path + " cannot be written: the folder " + folder.string() +
                      " is not writable");
  }
}

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), temporary_(temporary_name(path_)) {
  require_writable(path_);
  stream_.open(temporary_, std::ios::binary | std::ios::trunc);
  if (!stream_) {
    throw OutputError(path_ + " cannot be written: " + std::strerror(errno));
  }
  expect_temporary(temporary_);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) {
    stream_.close();
    std::remove(temporary_.c_str());
    forget_temporary(temporary_);
  }
}

void AtomicFile::commit() {
  stream_.close();
  if (!stream_) {
    throw OutputError(path_ + " could not be written to its end; is the disk full?");
  }
  if (const int failed = sync(temporary_, 0); failed != 0) {
    throw OutputError(path_ + " could not be written to its end: " + std::strerror(failed));
  }
  std::error_code failure;
  fs::rename(temporary_, path_, failure);
  if (failure) {
    throw OutputError(path_ + " cannot be written: " + failure.message());
  }
  forget_temporary(temporary_);
  temporary_.clear();
  // The file is whole; where its new name is not on the disk yet, the old one is.
  sync(folder_of(path_).string(), O_DIRECTORY);
}

}  // namespace ptq
