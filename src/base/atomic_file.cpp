#include "ptq/base/atomic_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "ptq/base/error.h"

namespace ptq {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

std::string temporary_name(const std::string& path) {
  const fs::path name =
      "." + fs::path(path).filename().string() + ".partial-" + std::to_string(getpid());
  return (folder_of(path) / name).string();
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
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) {
    stream_.close();
    std::remove(temporary_.c_str());
  }
}

void AtomicFile::commit() {
  stream_.close();
  if (!stream_) {
    throw OutputError(path_ + " could not be written to its end; is the disk full?");
  }
  std::error_code failure;
  fs::rename(temporary_, path_, failure);
  if (failure) {
    throw OutputError(path_ + " cannot be written: " + failure.message());
  }
  temporary_.clear();
}

}  // namespace ptq
