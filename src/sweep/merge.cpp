#include "sweep/merge.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "ptq/base/error.h"
#include "sweep/results.h"

namespace ptq::sweep {
namespace {

using Row = std::vector<std::string>;

bool is_finite_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

/// Cells that are computed with. A failed row has no accuracy.
void check_numbers(const std::string& path, const TextTable& table) {
  const std::vector<std::string> everywhere = {"configuration", "seconds"};
  const std::vector<std::string> where_done = {"quant_top1", "quant_top5", "correct", "count"};
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const Row& row = table.rows[i];
    std::vector<std::string> columns = everywhere;
    if (!is_failed(table, row)) {
      columns.insert(columns.end(), where_done.begin(), where_done.end());
    }
    for (const std::string& column : columns) {
      if (is_finite_number(table.cell(row, column))) continue;
      throw DataError(path + ": row " + std::to_string(i + 1) + ": " + column + " is \"" +
                      table.cell(row, column) + "\", which is no number");
    }
  }
}

TextTable read_results(const std::string& path) {
  TextTable table = read_csv(path);
  for (const std::string& column : result_columns({})) {
    if (table.has(column)) continue;
    throw DataError(path + " is not a table of ptq_benchmark: it has no column " + column);
  }
  check_numbers(path, table);
  return table;
}

/// New columns before those that describe a row, where swept options stand.
void add_columns(TextTable& merged, const TextTable& table) {
  for (const std::string& column : table.columns) {
    if (merged.has(column)) continue;
    const auto place =
        std::find(merged.columns.begin(), merged.columns.end(), std::string("float_top1"));
    merged.columns.insert(place, column);
  }
}

Row fitted(const TextTable& merged, const TextTable& table, const Row& row) {
  Row cells;
  for (const std::string& column : merged.columns) {
    cells.push_back(table.has(column) ? table.cell(row, column) : "");
  }
  return cells;
}

void sort_rows(TextTable& table) {
  std::map<std::string, size_t> models;
  for (const Row& row : table.rows) models.emplace(table.cell(row, "model"), models.size());
  const auto place = [&](const Row& row) {
    return std::make_pair(models.at(table.cell(row, "model")),
                          std::stod(table.cell(row, "configuration")));
  };
  std::stable_sort(table.rows.begin(), table.rows.end(),
                   [&](const Row& a, const Row& b) { return place(a) < place(b); });
}

/// Of two rows of one run. One that was a round of halving may be a result elsewhere.
bool is_better(const TextTable& merged, const Row& row, const Row& known) {
  if (is_failed(merged, known)) return true;
  return merged.cell(row, "status") == "done" && merged.cell(known, "status") == "subset";
}

}  // namespace

TextTable merge_tables(const std::vector<std::string>& paths) {
  std::vector<TextTable> tables;
  for (const std::string& path : paths) tables.push_back(read_results(path));
  TextTable merged{tables.front().columns, {}};
  for (const TextTable& table : tables) add_columns(merged, table);
  std::map<std::string, size_t> known;
  for (const TextTable& table : tables) {
    for (const Row& row : table.rows) {
      Row cells = fitted(merged, table, row);
      const auto [at, is_new] = known.emplace(identity_key(table, row), merged.rows.size());
      if (is_new) {
        merged.rows.push_back(std::move(cells));
      } else if (is_better(merged, cells, merged.rows[at->second])) {
        merged.rows[at->second] = std::move(cells);
      }
    }
  }
  sort_rows(merged);
  return merged;
}

}  // namespace ptq::sweep
