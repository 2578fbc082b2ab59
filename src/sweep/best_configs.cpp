#include "sweep/best_configs.h"

#include <algorithm>
#include <map>

namespace ptq::sweep {
namespace {

using Row = std::vector<std::string>;

double top1(const TextTable& table, const Row& row) {
  return std::stod(table.cell(row, "quant_top1"));
}

std::vector<std::string> group_of(const TextTable& table, const Row& row) {
  std::vector<std::string> group = {table.cell(row, "model"), table.cell(row, "model_hash"),
                                    table.cell(row, "data_hash")};
  for (const std::string& column : hardware_columns()) group.push_back(table.cell(row, column));
  return group;
}

}  // namespace

const std::vector<std::string>& hardware_columns() {
  static const std::vector<std::string> columns = {
      "target_backend", "quant_format",   "scale_factor_type",        "weight_bit_width",
      "act_bit_width",  "bias_bit_width", "weight_quant_granularity", "act_quant_type"};
  return columns;
}

TextTable best_configs(const TextTable& results) {
  std::map<std::vector<std::string>, double> best;
  for (const Row& row : results.rows) {
    if (results.cell(row, "status") != "done") continue;
    double& highest = best.emplace(group_of(results, row), -1).first->second;
    highest = std::max(highest, top1(results, row));
  }
  TextTable table{results.columns, {}};
  for (const Row& row : results.rows) {
    if (results.cell(row, "status") != "done") continue;
    if (top1(results, row) == best.at(group_of(results, row))) table.rows.push_back(row);
  }
  std::stable_sort(table.rows.begin(), table.rows.end(), [&](const Row& a, const Row& b) {
    const std::string& model = table.cell(a, "model");
    if (model != table.cell(b, "model")) return model < table.cell(b, "model");
    return top1(table, a) > top1(table, b);
  });
  return table;
}

}  // namespace ptq::sweep
