#pragma once

#include <cstdint>
#include <map>
#include <mutex>

namespace ptq::runtime {

/// A temporary file without a name, in $TMPDIR or /tmp: it is gone once nobody has it open, however
/// the program ends. Freed places are used again. May be used by several threads at once.
class SpillFile {
 public:
  SpillFile() = default;
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Writes and returns where. The first call makes the file. Throws OutputError naming the folder
  /// if it cannot be made or is full.
  int64_t write(const void* data, int64_t bytes);
  /// Throws OutputError if the bytes cannot be read back.
  void read(int64_t offset, void* data, int64_t bytes) const;
  /// Gives back what write() took.
  void release(int64_t offset, int64_t bytes);

 private:
  void open();
  int64_t take(int64_t bytes);

  std::mutex mutex_;
  int file_ = -1;
  int64_t size_ = 0;
  /// Free places below size_, by offset; no two touch.
  std::map<int64_t, int64_t> free_;
};

}  // namespace ptq::runtime
