#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

namespace ptq::data {

/// A class as a file names it, and where.
struct NamedClass {
  std::string name;
  int line = 0;
};

struct LabelTable {
  /// By the name of an image without folder and suffix.
  std::unordered_map<std::string, NamedClass> classes;
  /// Lines that say what an earlier line said.
  int64_t listed_again = 0;
};

/// Values separated by commas, or by tabs where the file is no .csv; an image a line: the first
/// column names its file and the second its class, unless a heading says which do (`filename`,
/// `label` and the like, in any case). Of a column `PredictionString`, the first word is the class.
/// Throws DataError naming file and line.
LabelTable read_label_table(const std::filesystem::path& file);

}  // namespace ptq::data
