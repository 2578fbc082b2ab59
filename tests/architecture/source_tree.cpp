#include "source_tree.h"

#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

namespace ptq::testing {

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = PTQ_SOURCE_DIR;

std::string folder_of(const fs::path& relative) {
  auto part = relative.begin();
  const std::string top = part->string();
  if (top == "include") ++part;
  if (top != "include" && top != "src") return top;
  // ptq/quantize.h and its like stand for the library as a whole.
  return std::next(++part) == relative.end() ? "workflow" : part->string();
}

}  // namespace

std::string content(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<Source> sources(const std::vector<std::string>& tops) {
  std::vector<Source> found;
  for (const std::string& top : tops) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / top)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".h") continue;
      const fs::path relative = fs::relative(entry.path(), kRoot);
      found.push_back({relative.string(), folder_of(relative), content(entry.path())});
    }
  }
  return found;
}

std::vector<std::string> includes(const std::string& text) {
  static const std::regex kInclude("#\\s*include\\s*[<\"]([^>\"]+)[>\"]");
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), kInclude), end; match != end; ++match) {
    found.push_back((*match)[1]);
  }
  return found;
}

}  // namespace ptq::testing
