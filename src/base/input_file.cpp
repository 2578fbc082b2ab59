#include "base/input_file.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/limits.h"

namespace ptq {

std::string input_obstacle(const std::string& path, uint64_t most) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    return fs::is_symlink(path, error) ? "is a link to a file that does not exist" : "";
  }
  if (fs::is_directory(status)) return "is a folder, not a file";
  if (!fs::is_regular_file(status)) return "is a pipe or a device, not a file";
  const uint64_t size = fs::file_size(path, error);
  if (error || size <= most) return "";
  return "has " + gib(static_cast<double>(size)) + ", more than the " +
         gib(static_cast<double>(most)) + " that are read";
}

bool has_second_document(const std::string& path) {
  std::ifstream file(path);
  bool begun = false;
  for (std::string line; std::getline(file, line);) {
    const bool marker =
        line.rfind("---", 0) == 0 &&
        (line.size() == 3 || std::isspace(static_cast<unsigned char>(line[3])) != 0);
    if (marker && begun) return true;
    const size_t content = line.find_first_not_of(" \t\r");
    const bool silent = content == std::string::npos || line[content] == '#' || line[0] == '%';
    begun = begun || marker || !silent;
  }
  return false;
}

}  // namespace ptq
