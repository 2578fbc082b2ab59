#include "sweep/results.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "ptq/base/error.h"

namespace ptq::sweep {
namespace {

std::string with_underscores(std::string_view option) {
  std::string name(option);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// Of a table: no sign behind it.
std::string points(double fraction) { return fixed(100 * fraction, 3); }

using Cells = std::map<std::string, std::string>;

void add_options(Cells& cells, const options::Settings& settings) {
  for (const options::Option& option : options::option_table()) {
    cells[with_underscores(option.name)] = options::to_text(settings.value(option.name));
  }
}

void add_accuracy(Cells& cells, const cli::RunResult& result) {
  const eval::Accuracy& quantized = result.quantized.accuracy;
  cells["quant_top1"] = points(quantized.top1());
  cells["quant_top5"] = points(quantized.top5());
  cells["correct"] = std::to_string(quantized.correct);
  cells["count"] = std::to_string(quantized.count);
  cells["warnings"] = joined(result.warnings, "; ");
  if (result.float_evaluation) {
    cells["float_top1"] = points(result.float_evaluation->accuracy.top1());
  }
  if (!result.comparison) return;
  const auto& [counts, top1] = *result.comparison;
  cells["difference"] = points(top1.difference);
  cells["interval_low"] = points(top1.low);
  cells["interval_high"] = points(top1.high);
  cells["agreement"] =
      points(static_cast<double>(counts.agreeing) / static_cast<double>(counts.count));
}

std::string status(const Configuration& configuration, const Outcome& outcome) {
  if (!outcome.result) return "failed";
  return configuration.is_on_subset ? "subset" : "done";
}

}  // namespace

const std::vector<std::string>& reference_columns() {
  static const std::vector<std::string> columns = {"target_backend",
                                                   "quant_format",
                                                   "scale_factor_type",
                                                   "weight_bit_width",
                                                   "act_bit_width",
                                                   "bias_bit_width",
                                                   "weight_quant_granularity",
                                                   "act_quant_type",
                                                   "weight_quant_type",
                                                   "act_quant_calibration_type",
                                                   "act_quant_percentile",
                                                   "weight_quant_calibration_type",
                                                   "gptq",
                                                   "gpfq",
                                                   "gpxq_act_order",
                                                   "gpxq_accumulator_bit_width",
                                                   "learned_round",
                                                   "bias_corr",
                                                   "graph_eq_iterations",
                                                   "graph_eq_merge_bias",
                                                   "act_equalization",
                                                   "weight_narrow_range",
                                                   "merge_bn",
                                                   "calibrate_bn",
                                                   "channel_splitting_ratio",
                                                   "channel_splitting_split_input",
                                                   "calibration_samples",
                                                   "batch_size_calibration"};
  return columns;
}

std::vector<std::string> result_columns(const std::vector<std::string_view>& swept) {
  std::vector<std::string> columns = {"configuration", "status", "model"};
  columns.insert(columns.end(), reference_columns().begin(), reference_columns().end());
  for (const std::string_view option : swept) {
    const std::string name = with_underscores(option);
    const bool is_new = std::find(columns.begin(), columns.end(), name) == columns.end();
    if (is_new && name != "seed") columns.push_back(name);
  }
  for (const char* name : {"float_top1",
                           "quant_top1",
                           "difference",
                           "interval_low",
                           "interval_high",
                           "agreement",
                           "quant_top5",
                           "correct",
                           "count",
                           "seed",
                           "model_hash",
                           "data_hash",
                           "calibration_hash",
                           "configuration_hash",
                           "tool_version",
                           "predictions",
                           "quantizers",
                           "seconds",
                           "warnings",
                           "error"}) {
    columns.emplace_back(name);
  }
  return columns;
}

std::vector<std::string> result_row(const std::vector<std::string>& columns,
                                    const Configuration& configuration, const Identity& identity,
                                    const Outcome& outcome) {
  Cells cells;
  add_options(cells, configuration.settings);
  cells["configuration"] = std::to_string(configuration.number);
  cells["status"] = status(configuration, outcome);
  cells["model"] = model_label(configuration.settings);
  if (outcome.result) add_accuracy(cells, *outcome.result);
  cells["model_hash"] = identity.model;
  cells["data_hash"] = identity.validation;
  cells["calibration_hash"] = identity.calibration;
  cells["configuration_hash"] = identity.configuration;
  cells["tool_version"] = options::program_version();
  cells["predictions"] = outcome.predictions;
  cells["quantizers"] = outcome.quantizers;
  cells["seconds"] = fixed(outcome.seconds, 2);
  cells["error"] = outcome.error;
  std::vector<std::string> row;
  for (const std::string& column : columns) row.push_back(cells[column]);
  return row;
}

std::string identity_key(const Identity& identity) {
  return identity.model + " " + identity.validation + " " + identity.calibration + " " +
         identity.configuration + " " + options::program_version();
}

std::string identity_key(const TextTable& table, const std::vector<std::string>& row) {
  return table.cell(row, "model_hash") + " " + table.cell(row, "data_hash") + " " +
         table.cell(row, "calibration_hash") + " " + table.cell(row, "configuration_hash") + " " +
         table.cell(row, "tool_version");
}

bool bring_up_to_date(const TextTable& table, std::vector<std::string>& row,
                      const Configuration& configuration) {
  const std::vector<std::string> before = row;
  row.at(table.index_of("configuration")) = std::to_string(configuration.number);
  if (!is_failed(table, row)) {
    row.at(table.index_of("status")) = configuration.is_on_subset ? "subset" : "done";
  }
  return row != before;
}

bool is_failed(const TextTable& table, const std::vector<std::string>& row) {
  return table.cell(row, "status") == "failed";
}

}  // namespace ptq::sweep
