#include "eval/gate/results_table.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "base/csv.h"
#include "base/input_file.h"
#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

const std::vector<std::string> kHashes = {"configuration_hash", "model_hash", "data_hash"};

constexpr uint64_t kMostBytes = uint64_t{64} << 20;
/// Of all rows: more than a sweep of the most combinations writes.
constexpr size_t kMostFields = 4'000'000;

/// Columns that a run finds out, and those that say how it went.
bool is_result(const std::string& column) {
  static const std::set<std::string> kResults = {
      "float_top1",   "float_top5",   "quant_top1",    "quant_top5", "correct",
      "count",        "interval_low", "interval_high", "difference", "agreement",
      "tool_version", "predictions",  "error",         "seconds",    "float_correct"};
  const std::string seconds = "_seconds";
  return kResults.count(column) > 0 ||
         std::find(kHashes.begin(), kHashes.end(), column) != kHashes.end() ||
         (column.size() > seconds.size() &&
          column.compare(column.size() - seconds.size(), seconds.size(), seconds) == 0);
}

std::map<std::string, std::string> fields_by_column(const std::vector<std::string>& columns,
                                                    const std::string& line,
                                                    const std::string& place) {
  const std::vector<std::string> fields = split_csv(line);
  if (fields.size() != columns.size()) {
    throw DataError(place + ": " + std::to_string(fields.size()) + " fields, the heading has " +
                    std::to_string(columns.size()));
  }
  std::map<std::string, std::string> row;
  for (size_t i = 0; i < columns.size(); ++i) row[columns[i]] = fields[i];
  return row;
}

void check_heading(const ResultsTable& table) {
  const std::set<std::string> distinct(table.columns.begin(), table.columns.end());
  if (distinct.size() != table.columns.size()) {
    throw DataError(table.path + ": line 1: a column is there twice");
  }
  if (table.has("correct") && table.has("count")) return;
  throw DataError(
      table.path +
      " is neither a table of results, with columns correct and count, nor predictions");
}

}  // namespace

std::string ResultRow::field(const std::string& column) const {
  const auto found = fields_.find(column);
  return found == fields_.end() ? "" : found->second;
}

int64_t ResultRow::whole_number(const std::string& column) const {
  const std::string text = field(column);
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc() && read.ptr == end && value >= 0) return value;
  throw DataError(place_ + ": " + column + " is \"" + text + "\", not a number of images");
}

bool ResultsTable::has(const std::string& column) const {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

ResultsTable read_results(const std::string& path) {
  const auto [text, obstacle] = read_input(path, kMostBytes);
  if (!obstacle.empty()) throw DataError(path + " " + obstacle);
  std::string_view rest = text;
  ResultsTable table;
  table.path = path;
  std::string line;
  take_line(rest, line);
  table.columns = split_csv(line.substr(0, kLongestLine));
  check_heading(table);
  for (int64_t number = 2; take_line(rest, line); ++number) {
    if (line.empty()) continue;
    const std::string place = path + ": line " + std::to_string(number);
    if (line.size() > kLongestLine || table.rows.size() * table.columns.size() > kMostFields) {
      throw DataError(place + ": it is longer than any table of a sweep");
    }
    table.rows.emplace_back(fields_by_column(table.columns, line, place), place);
  }
  return table;
}

std::vector<std::string> key_columns(const ResultsTable& one, const ResultsTable& other) {
  const bool hashed = std::all_of(kHashes.begin(), kHashes.end(), [&](const std::string& column) {
    return one.has(column) && other.has(column);
  });
  if (hashed) return kHashes;
  std::vector<std::string> columns;
  for (const std::string& column : one.columns) {
    if (!is_result(column) && other.has(column)) columns.push_back(column);
  }
  return columns;
}

std::vector<std::string> name_columns(const ResultsTable& table) {
  std::vector<std::string> columns;
  for (const std::string& column : table.columns) {
    if (is_result(column)) continue;
    const bool differs =
        std::any_of(table.rows.begin(), table.rows.end(), [&](const ResultRow& row) {
          return row.field(column) != table.rows.front().field(column);
        });
    if (differs || column == "model") columns.push_back(column);
  }
  return columns;
}

std::string row_name(const ResultRow& row, const std::vector<std::string>& columns) {
  std::string name;
  for (const std::string& column : columns) {
    name += (name.empty() ? "" : " ") +
            (column == "model" ? row.field(column) : column + "=" + row.field(column));
  }
  return name.empty() ? "results" : name;
}

}  // namespace ptq::eval
