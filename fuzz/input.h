#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "ptq/base/error.h"

/// What the targets have in common.
namespace ptq::fuzz {

/// The bytes as a regular file, in memory.
class InputFile {
 public:
  InputFile(const uint8_t* data, size_t size) : file_(memfd_create("input", MFD_CLOEXEC)) {
    if (file_ < 0 || write(file_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  ~InputFile() { close(file_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

/// Runs `read`. An error of `Expected` is what a damaged input should give; any other exception is
/// a finding.
template <class Expected, class Read>
void expect_only(const Read& read) {
  try {
    read();
  } catch (const Expected&) {
  }
}

}  // namespace ptq::fuzz
