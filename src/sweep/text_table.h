#pragma once

#include <string>
#include <vector>

namespace ptq::sweep {

/// Rows of text under named columns.
struct TextTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;

  bool has(const std::string& column) const;
  /// Throws InternalError for a column that is not there.
  size_t index_of(const std::string& column) const;
  const std::string& cell(const std::vector<std::string>& row, const std::string& column) const;
};

/// One line of a CSV file (RFC 4180, ended by one newline): cells with commas, quotes or line ends
/// are quoted.
std::string csv_line(const std::vector<std::string>& cells);

/// Header and rows. A last line without its newline is left out, for whoever wrote it was cut off.
/// `name` is for messages. Throws DataError naming it and the line if a row has another number of
/// cells than the header.
TextTable parse_csv(const std::string& text, const std::string& name);

/// Throws DataError if the file cannot be read.
TextTable read_csv(const std::string& path);

/// Complete or not at all. Throws OutputError naming the file.
void write_csv(const std::string& path, const TextTable& table);

}  // namespace ptq::sweep
