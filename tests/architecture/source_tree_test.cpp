#include "source_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

// Reads the sources and holds them to ARCHITECTURE.md.
namespace ptq {
namespace {

using testing::includes;
using ::testing::IsEmpty;
using testing::Source;
using testing::sources;

/// Folders by level: one may include those of lower levels, and never another of its own.
const std::map<std::string, int> kLevels = {
    {"base", 0},     {"ir", 1},       {"quant", 2},   {"import", 3}, {"runtime", 3}, {"data", 3},
    {"export", 3},   {"backends", 4}, {"passes", 4},  {"eval", 4},   {"models", 4},  {"parity", 5},
    {"workflow", 5}, {"report", 6},   {"options", 6}, {"cli", 7},    {"sweep", 8},   {"apps", 9},
};

/// Who may include what: the beginning of an include, and the folders.
const std::vector<std::pair<std::string, std::set<std::string>>> kReserved = {
    {"torch/csrc/", {"import", "export"}},
    {"torch/script.h", {"import", "export"}},
    {"torch/torch.h", {}},
    {"dnnl", {"runtime"}},
    {"openssl/", {"base"}},
    {"opencv2/", {"data"}},
    {"jpeglib.h", {"data"}},
    {"png.h", {"apps"}},
    {"tiff", {"data"}},
    {"webp/", {"data"}},
    {"CLI/", {"options", "cli", "apps"}},
    {"yaml-cpp/", {"options", "sweep"}},
    {"nlohmann/", {"quant", "parity", "report", "options", "cli", "sweep"}},
    {"google/protobuf/", {"export"}},
    {"onnx/", {"export"}},
    {"spdlog/", {"cli", "apps"}},
};

/// The folder of the project that an include names, if it names one.
std::string included_folder(std::string include) {
  if (include.rfind("ptq/", 0) == 0) {
    include = include.substr(4);
    if (include.find('/') == std::string::npos) return "workflow";
  }
  const std::string folder = include.substr(0, include.find('/'));
  return folder != include && kLevels.count(folder) > 0 ? folder : "";
}

bool may_include(const std::string& from, const std::string& to) {
  return from == to || kLevels.at(to) < kLevels.at(from);
}

TEST(SourceTree, HasOnlyFoldersWithALevel) {
  std::set<std::string> unknown;
  for (const Source& source : sources()) {
    if (kLevels.count(source.folder) == 0) unknown.insert(source.path);
  }
  EXPECT_THAT(unknown, IsEmpty());
}

TEST(SourceTree, DependsDownwardsOnly) {
  std::vector<std::string> wrong;
  int checked = 0;
  for (const Source& source : sources()) {
    for (const std::string& include : includes(source.text)) {
      const std::string to = included_folder(include);
      if (to.empty()) continue;
      ++checked;
      if (!may_include(source.folder, to)) wrong.push_back(source.path + " includes " + include);
    }
  }
  EXPECT_GT(checked, 100);
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(SourceTree, InstallsHeadersThatIncludeEachOtherAlone) {
  std::set<std::string> headers;
  for (const Source& source : sources({"include"})) headers.insert(source.path.substr(8));
  EXPECT_GT(headers.size(), 20U);
  EXPECT_LE(headers.size(), 30U);
  std::vector<std::string> wrong;
  for (const Source& source : sources({"include", "examples"})) {
    for (const std::string& include : includes(source.text)) {
      const bool is_ours = include.rfind("ptq/", 0) == 0 || !included_folder(include).empty();
      if (is_ours && headers.count(include) == 0) {
        wrong.push_back(source.path + " includes " + include);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(SourceTree, KeepsLibrariesInTheirRooms) {
  std::vector<std::string> wrong;
  for (const Source& source : sources()) {
    for (const std::string& include : includes(source.text)) {
      for (const auto& [library, folders] : kReserved) {
        if (include.rfind(library, 0) == 0 && folders.count(source.folder) == 0) {
          wrong.push_back(source.path + " includes " + include);
        }
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(SourceTree, HasNoFileOfMoreThan300Lines) {
  std::vector<std::string> wrong;
  for (const Source& source : sources()) {
    const auto lines = std::count(source.text.begin(), source.text.end(), '\n');
    if (lines > 300) wrong.push_back(source.path + ": " + std::to_string(lines));
  }
  EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
}  // namespace ptq
