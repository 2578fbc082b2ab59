#pragma once

#include <filesystem>
#include <string>
#include <vector>

// The project's own sources, as text.
namespace ptq::testing {

struct Source {
  /// Relative to the root of the project.
  std::string path;
  /// The room it belongs to: X of src/X and include/ptq/X, or the folder at the root.
  std::string folder;
  std::string text;
};

std::string content(const std::filesystem::path& path);

/// Every .h and .cpp file below `tops`, folders at the root of the project.
std::vector<Source> sources(const std::vector<std::string>& tops = {"src", "include", "apps"});

/// What a text includes, in order: `ptq/ir/graph.h`, `vector`.
std::vector<std::string> includes(const std::string& text);

}  // namespace ptq::testing
