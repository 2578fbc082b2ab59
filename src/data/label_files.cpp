#include "data/label_files.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/input_file.h"
#include "data/text_encoding.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;

// More classes than any classifier has; a larger index is a mistake.
constexpr int64_t kMostClasses = 1'000'000;
constexpr const char* kBlanks = " \t\r";
// Sixteen times the longest path.
constexpr size_t kLongestLine = 1 << 16;
constexpr int kMostLines = 5'000'000;

std::optional<int64_t> to_integer(const std::string& text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// A list made on Windows separates folders by backslashes.
std::string existing_path(const fs::path& directory, const std::string& path) {
  std::string other = path;
  std::replace(other.begin(), other.end(), '\\', '/');
  return !fs::exists(directory / path) && fs::exists(directory / other) ? other : path;
}

// A remark, unless an image is called so.
bool is_comment(const fs::path& file, const std::string& text) {
  return text.front() == '#' &&
         !fs::exists(file.parent_path() / trimmed(text.substr(0, text.find_last_of(kBlanks))));
}

// The index stands behind the last blank, so that a path may contain blanks.
ImageFolder::Item parse_label(const fs::path& file, int number, const std::string& text) {
  const size_t blank = text.find_last_of(kBlanks);
  const std::optional<int64_t> label =
      blank == std::string::npos ? std::nullopt : to_integer(text.substr(blank + 1));
  if (!label) {
    refuse_line(file, number,
                "expected a path and a class index with a blank between them, got '" + text + "'");
  }
  return {existing_path(file.parent_path(), trimmed(text.substr(0, blank))), *label};
}

void check_label(const fs::path& file, int number, int64_t label, const ClassNames& names) {
  const bool named = !names.names.empty();
  const int64_t classes = named ? static_cast<int64_t>(names.names.size()) : kMostClasses;
  if (label >= 0 && label < classes) return;
  refuse_line(file, number,
              "class index " + std::to_string(label) + " is not in [0, " +
                  std::to_string(classes - 1) + "]" +
                  (named ? ", the classes of " + names.file.string() : ""));
}

}  // namespace

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

void refuse_line(const fs::path& file, int line, const std::string& reason) {
  throw DataError(file.string() + " line " + std::to_string(line) + ": " + reason);
}

void list_again(const fs::path& file, int line, const std::string& name, bool same_class,
                int64_t& listed_again) {
  if (!same_class) refuse_line(file, line, "'" + name + "' is listed twice, with two classes");
  ++listed_again;
}

void for_each_line(const fs::path& file,
                   const std::function<void(int, const std::string&)>& visit) {
  InputText text = read_input(file.string());
  if (!text.obstacle.empty()) throw DataError(file.string() + ": " + text.obstacle);
  std::string content = to_utf8(std::move(text.bytes));
  if (content.find('\n') == std::string::npos) {
    std::replace(content.begin(), content.end(), '\r', '\n');
  }
  std::string_view rest = content;
  std::string line;
  for (int number = 1; take_line(rest, line); ++number) {
    if (number > kMostLines) {
      refuse_line(file, number,
                  "it has more lines than the " + std::to_string(kMostLines) + " of a list");
    }
    if (line.size() > kLongestLine) {
      refuse_line(file, number,
                  "it has " + std::to_string(line.size()) + " bytes, more than the " +
                      std::to_string(kLongestLine) + " of a line");
    }
    const std::string words = trimmed(line);
    if (!words.empty()) visit(number, words);
  }
}

ClassNames read_class_names(const fs::path& directory) {
  // absolute() first: the parent of "." has no other name.
  const fs::path here = fs::absolute(directory).lexically_normal();
  const fs::path parent = (here / ".").lexically_normal().parent_path().parent_path();
  ClassNames result;
  for (const fs::path& file : {here / kClassesFile, parent / kClassesFile}) {
    if (!fs::is_regular_file(file)) continue;
    result.file = file;
    break;
  }
  if (result.file.empty()) return result;
  std::set<std::string> seen;
  for_each_line(result.file, [&](int number, const std::string& name) {
    if (!seen.insert(name).second)
      refuse_line(result.file, number, "class '" + name + "' occurs twice");
    result.names.push_back(name);
  });
  if (result.names.empty()) throw DataError(result.file.string() + ": no class in it");
  return result;
}

std::vector<ImageFolder::Item> read_labels(const fs::path& file, const ClassNames& names,
                                           int64_t& listed_again) {
  std::vector<ImageFolder::Item> items;
  std::unordered_map<std::string, int64_t> seen;
  for_each_line(file, [&](int number, const std::string& text) {
    if (is_comment(file, text)) return;
    ImageFolder::Item item = parse_label(file, number, text);
    check_label(file, number, item.label, names);
    if (!fs::exists(file.parent_path() / item.path)) {
      refuse_line(file, number, "'" + item.path + "' does not exist");
    }
    if (fs::is_directory(file.parent_path() / item.path)) {
      refuse_line(file, number, "'" + item.path + "' is a folder, not an image");
    }
    const auto [known, is_new] =
        seen.emplace(fs::path(item.path).lexically_normal().string(), item.label);
    if (!is_new)
      return list_again(file, number, item.path, known->second == item.label, listed_again);
    items.push_back(std::move(item));
  });
  if (items.empty()) throw DataError(file.string() + ": no image in it");
  return items;
}

}  // namespace ptq::data
