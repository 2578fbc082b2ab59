#include "base/input_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/limits.h"

namespace ptq {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string unreadable() { return "cannot be read: " + std::generic_category().message(errno); }

std::string size_words(uint64_t bytes) {
  constexpr uint64_t kGib = uint64_t{1} << 30;
  if (bytes >= kGib) return gib(static_cast<double>(bytes));
  return std::to_string(bytes >> 20) + " MiB";
}

std::string too_much(const std::string& size, uint64_t most) {
  return "has " + size + "more than the " + size_words(most) + " that are read";
}

}  // namespace

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
  return too_much(size_words(size) + ", ", most);
}

std::string read_pieces(const std::string& path, uint64_t most,
                        const std::function<std::string(std::string_view)>& visit) {
  std::string obstacle = input_obstacle(path, most);
  if (!obstacle.empty()) return obstacle;
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return unreadable();
  std::array<char, 1 << 16> piece{};
  while (const size_t size = std::fread(piece.data(), 1, piece.size(), file.get())) {
    obstacle = visit({piece.data(), size});
    if (!obstacle.empty()) return obstacle;
  }
  return std::ferror(file.get()) != 0 ? unreadable() : "";
}

InputText read_input(const std::string& path, uint64_t most) {
  InputText text;
  text.obstacle = read_pieces(path, most, [&](std::string_view piece) {
    text.bytes += piece;
    return text.bytes.size() > most ? too_much("", most) : std::string();
  });
  if (!text.obstacle.empty()) text.bytes.clear();
  return text;
}

bool take_line(std::string_view& rest, std::string& line) {
  if (rest.empty()) return false;
  const size_t end = std::min(rest.find('\n'), rest.size());
  line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return true;
}

bool has_second_document(std::string_view text) {
  bool begun = false;
  for (std::string line; take_line(text, line);) {
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
