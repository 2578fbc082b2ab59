#pragma once

#include <string>
#include <vector>

#include "sweep/text_table.h"

namespace ptq::sweep {

/// A CSV file that grows by a row at a time, each of which is on disk before append() returns:
/// whenever the process or the machine stops, all rows but perhaps the last are there. A last row
/// that was cut off is removed when the file is opened again. One process writes a journal.
class Journal {
 public:
  /// Opens `path`, or makes it with this header. Throws ConfigError if it has other columns,
  /// OutputError if it cannot be written or another process has it.
  Journal(std::string path, const std::vector<std::string>& columns);

  /// In the order in which they were written, today or earlier.
  const TextTable& table() const { return table_; }

  void append(std::vector<std::string> row);

 private:
  void recover();
  void write(const std::string& text);
  [[noreturn]] void fail(const std::string& what) const;

  /// A file descriptor that is closed.
  struct File {
    File() = default;
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int handle = -1;
  };

  std::string path_;
  File file_;
  TextTable table_;
};

}  // namespace ptq::sweep
