#include "sweep/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/input_file.h"
#include "ptq/base/error.h"

namespace ptq::sweep {
namespace {

namespace fs = std::filesystem;

/// A new file's name is on disk when its folder is.
void sync_folder(const fs::path& folder) {
  const int handle = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (handle < 0) return;
  ::fsync(handle);
  ::close(handle);
}

std::string text_of(const TextTable& table) {
  if (table.columns.empty()) return "";
  std::string text = csv_line(table.columns);
  for (const auto& row : table.rows) text += csv_line(row);
  return text;
}

}  // namespace

Journal::Journal(std::string path, const std::vector<std::string>& columns)
    : path_(std::move(path)) {
  file_.handle = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_.handle < 0) fail(std::strerror(errno));
  if (::flock(file_.handle, LOCK_EX | LOCK_NB) != 0) fail("another process is writing it");
  recover();
  if (table_.columns.empty()) {
    table_.columns = columns;
    write(csv_line(columns));
    sync_folder(fs::path(path_).parent_path());
  } else if (table_.columns != columns) {
    throw ConfigError(
        path_ + " belongs to a sweep with other columns: choose another --output, or remove it");
  }
}

Journal::File::~File() {
  if (handle >= 0) ::close(handle);
}

void Journal::recover() {
  const auto [text, obstacle] = read_input(path_);
  if (!obstacle.empty()) fail(obstacle);
  table_ = parse_csv(text, path_);
  const std::string complete = text_of(table_);
  if (text.compare(0, complete.size(), complete) != 0) {
    throw ConfigError(path_ + " was not written by this program: choose another --output");
  }
  if (complete.size() == text.size()) return;
  if (::ftruncate(file_.handle, static_cast<off_t>(complete.size())) != 0)
    fail(std::strerror(errno));
}

void Journal::append(std::vector<std::string> row) {
  if (row.size() != table_.columns.size()) throw InternalError("a row does not fit its journal");
  write(csv_line(row));
  table_.rows.push_back(std::move(row));
}

void Journal::write(const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(file_.handle, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) fail(std::strerror(errno));
    done += static_cast<size_t>(wrote);
  }
  if (::fdatasync(file_.handle) != 0) fail(std::strerror(errno));
}

void Journal::fail(const std::string& what) const { throw OutputError(path_ + ": " + what); }

}  // namespace ptq::sweep
