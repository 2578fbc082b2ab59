#pragma once

#include <fstream>
#include <string>

namespace ptq {

/// Throws OutputError unless a file could be written at `path`: its folder exists and is writable,
/// and `path` is not a folder. Creates nothing; meant for before the work starts.
void require_writable(const std::string& path);

/// A file that appears complete or not at all: written beside its destination under another name
/// and renamed by commit(). Destroyed without commit(), it leaves nothing. Throws OutputError
/// naming the destination.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  std::ostream& stream() { return stream_; }

  /// Call once, last.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  std::ofstream stream_;
};

}  // namespace ptq
