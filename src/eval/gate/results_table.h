#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ptq::eval {

/// Bytes of a line; the programs write none that is longer.
inline constexpr size_t kLongestLine = 1 << 16;

/// A row of a table of results: text by column.
class ResultRow {
 public:
  ResultRow(std::map<std::string, std::string> fields, std::string place)
      : fields_(std::move(fields)), place_(std::move(place)) {}

  /// Empty where there is no such column.
  std::string field(const std::string& column) const;
  /// Throws DataError naming file, line and column.
  int64_t whole_number(const std::string& column) const;
  /// "FILE: line N".
  const std::string& place() const { return place_; }

 private:
  std::map<std::string, std::string> fields_;
  std::string place_;
};

struct ResultsTable {
  std::string path;
  std::vector<std::string> columns;
  std::vector<ResultRow> rows;

  bool has(const std::string& column) const;
};

/// Throws DataError naming file and line: not readable, no columns `correct` and `count`, a column
/// twice, a row with another number of fields, more than the largest sweep writes.
ResultsTable read_results(const std::string& path);

/// The columns whose values say which rows of the two tables belong together.
std::vector<std::string> key_columns(const ResultsTable& one, const ResultsTable& other);

/// What a reader tells rows apart by: the model and the key columns whose values differ in the
/// table, hashes aside.
std::vector<std::string> name_columns(const ResultsTable& table);
std::string row_name(const ResultRow& row, const std::vector<std::string>& columns);

}  // namespace ptq::eval
