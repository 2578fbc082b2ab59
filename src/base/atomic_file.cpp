#include "base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/supervisor.h"
#include "ptq/base/error.h"

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

/// What a chain of links ends in, or the path itself.
std::string destination(std::string path) {
  constexpr int kMostLinks = 40;
  std::error_code failure;
  for (int i = 0; i < kMostLinks && fs::is_symlink(path, failure); ++i) {
    const fs::path target = fs::read_symlink(path, failure);
    path = (target.is_absolute() ? target : folder_of(path) / target).string();
  }
  return path;
}

/// A device or a pipe takes what is written; a file may not take its name.
bool is_special(const std::string& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// A pipe that nobody reads would keep the writer waiting for ever. While this lives, the reader
/// does not see the end of the pipe.
class Reader {
 public:
  explicit Reader(const std::string& path) {
    std::error_code failure;
    if (!fs::is_fifo(path, failure)) return;
    file_ = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (file_ < 0) {
      throw OutputError(path + " cannot be written: " +
                        (errno == ENXIO ? "nobody reads the pipe" : std::strerror(errno)));
    }
  }
  ~Reader() {
    if (file_ >= 0) close(file_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  int file_ = -1;
};

void require_writable_special(const std::string& path) {
  if (access(path.c_str(), W_OK) == 0) return;
  throw OutputError(path + " cannot be written: " + std::strerror(errno));
}

}  // namespace

void require_writable(const std::string& given) {
  const std::string path = destination(given);
  if (is_special(path)) return require_writable_special(path);
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
    : path_(destination(std::move(path))),
      temporary_(is_special(path_) ? path_ : temporary_name(path_)) {
  require_writable(path_);
  const Reader reader(path_);
  stream_.open(temporary_, std::ios::binary | std::ios::trunc);
  if (!stream_) {
    throw OutputError(path_ + " cannot be written: " + std::strerror(errno));
  }
  if (temporary_ != path_) expect_temporary(temporary_);
}

AtomicFile::~AtomicFile() {
  if (temporary_.empty() || temporary_ == path_) return;
  stream_.close();
  std::remove(temporary_.c_str());
  forget_temporary(temporary_);
}

void AtomicFile::commit() {
  stream_.close();
  if (!stream_) {
    throw OutputError(path_ + " could not be written to its end; is the disk full?");
  }
  if (temporary_ == path_) return;
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
