#include "sweep/tables.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/atomic_file.h"
#include "sweep/best_configs.h"

namespace ptq::sweep {
namespace {

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.stream() << text;
  file.commit();
}

TextTable skipped_table(const std::vector<Skipped>& skipped) {
  TextTable table{{"configuration", "combination", "reason"}, {}};
  for (const Skipped& each : skipped) {
    table.rows.push_back({std::to_string(each.number), each.combination, each.reason});
  }
  return table;
}

std::set<std::string> values_of(const TextTable& table, const std::string& column) {
  std::set<std::string> values;
  const size_t at = table.index_of(column);
  for (const auto& row : table.rows) values.insert(row[at]);
  return values;
}

/// A cell of a Markdown table.
std::string cell_text(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell_text(cell) + " |";
  return line + "\n";
}

std::string markdown_table(const TextTable& table, const std::vector<std::string>& columns) {
  std::string text = markdown_row(columns) + "|";
  for (size_t i = 0; i < columns.size(); ++i) text += "---|";
  text += "\n";
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (const std::string& column : columns) cells.push_back(table.cell(row, column));
    text += markdown_row(cells);
  }
  return text;
}

}  // namespace

std::vector<std::string> telling_columns(const TextTable& results) {
  static const std::set<std::string> kAlways = {"configuration", "model",      "float_top1",
                                                "quant_top1",    "difference", "interval_low",
                                                "interval_high", "agreement",  "count"};
  static const std::set<std::string> kNever = {
      "model_hash",         "data_hash",  "calibration_hash", "predictions", "quantizers",
      "configuration_hash", "quant_top5", "correct",          "warnings",    "seconds"};
  std::vector<std::string> columns;
  for (const std::string& column : results.columns) {
    if (kNever.count(column) != 0) continue;
    if (kAlways.count(column) != 0 || values_of(results, column).size() > 1) {
      columns.push_back(column);
    }
  }
  return columns;
}

TextTable skip_reasons(const std::vector<Skipped>& skipped) {
  TextTable table{{"reason", "combinations", "the first"}, {}};
  std::map<std::string, size_t> rows, counts;
  for (const Skipped& each : skipped) {
    const auto [row, is_new] = rows.emplace(each.reason, table.rows.size());
    if (is_new) table.rows.push_back({each.reason, "", each.combination});
    table.rows[row->second][1] = std::to_string(++counts[each.reason]);
  }
  return table;
}

std::string markdown_page(const TextTable& results, const TextTable& best,
                          const std::vector<Skipped>& skipped) {
  const std::vector<std::string> columns = telling_columns(results);
  std::string page =
      "# Results\n\nTop-1 in percent; difference to float in points, with its 95 % interval, "
      "paired over images.\nColumns in which all rows agree are left out; results.csv has them "
      "all.\n\n" +
      markdown_table(results, columns) +
      "\n## Best by hardware features\n\nOf each backend, format, scale type, bit widths, "
      "granularity and activation type the highest top-1.\n\n" +
      markdown_table(best, columns);
  if (!skipped.empty()) {
    const TextTable table = skip_reasons(skipped);
    page += "\n## Skipped\n\n" + markdown_table(table, table.columns);
  }
  return page;
}

void write_tables(const std::string& folder, const TextTable& results,
                  const std::vector<Skipped>& skipped) {
  const auto in_folder = [&](const char* name) {
    return (std::filesystem::path(folder) / name).string();
  };
  const TextTable best = best_configs(results);
  write_csv(in_folder("results.csv"), results);
  write_csv(in_folder("best_configs.csv"), best);
  write_csv(in_folder("skipped.csv"), skipped_table(skipped));
  write_text(in_folder("results.md"), markdown_page(results, best, skipped));
  write_text(in_folder("results.html"), html_page(results, best, skipped));
  write_text(in_folder("best_configs.html"), html_page(best, best, {}));
}

}  // namespace ptq::sweep
