#include "report/bits_tables.h"

#include <cstdio>
#include <optional>

#include "base/atomic_file.h"
#include "base/csv.h"
#include "base/text.h"
#include "workflow/bits/search.h"

namespace ptq::report {
namespace {

/// As many digits as tell it from its neighbours.
std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

std::vector<std::string> interval_fields(const std::optional<eval::Interval>& interval) {
  if (!interval) return {"", "", ""};
  return {number(interval->difference), number(interval->low), number(interval->high)};
}

std::string line_of(const ParetoRow& row) {
  const auto points = [](const eval::Interval& interval) {
    return fixed(100 * interval.difference, 2) + " (" + fixed(100 * interval.low, 2) + " to " +
           fixed(100 * interval.high, 2) + ")";
  };
  std::string line = "  " + row.name + ": " + fixed(row.mean_weight_bits, 3) + " bits, top-1 " +
                     percent(row.accuracy.top1(), 3) + " (" + std::to_string(row.accuracy.correct) +
                     ")";
  if (row.against_float) line += ", float " + points(*row.against_float);
  if (row.against_uniform) line += ", " + row.uniform + " " + points(*row.against_uniform);
  return line;
}

}  // namespace

void write_sensitivity(const std::string& path, const Sensitivity& sensitivity) {
  AtomicFile file(path);
  file.stream() << "kind,group,layers,bits,divergence,sqnr_db,estimate\n";
  for (const SensitivityRow& row : sensitivity.rows) {
    const bool is_weight = row.kind == quant::QuantizerKind::kWeight;
    file.stream() << csv_line({is_weight ? "weight" : "activation", row.group,
                               joined(row.layers, " "), std::to_string(row.bits),
                               number(row.divergence), number(row.sqnr), number(row.estimate)})
                  << "\n";
  }
  file.commit();
}

void write_layer_bits(const std::string& path, const BitAssignment& bits) {
  AtomicFile file(path);
  for (const std::string& line : workflow::assignment_lines(bits)) {
    file.stream() << "# " << line << "\n";
  }
  file.stream() << "layer_bits:\n";
  for (const LayerOverride& layer : bits.layer_bits) {
    file.stream() << "  - " << yaml_text(workflow::layer_bits_text(layer)) << "\n";
  }
  file.commit();
}

void write_pareto(const std::string& path, const std::vector<ParetoRow>& rows) {
  AtomicFile file(path);
  file.stream() << "name,budget,mean_weight_bits,correct,count,top1,float_difference,float_low,"
                   "float_high,uniform,uniform_difference,uniform_low,uniform_high,divergence\n";
  for (const ParetoRow& row : rows) {
    std::vector<std::string> fields = {row.name,
                                       row.budget ? number(*row.budget) : "",
                                       number(row.mean_weight_bits),
                                       std::to_string(row.accuracy.correct),
                                       std::to_string(row.accuracy.count),
                                       number(row.accuracy.top1())};
    for (std::string& field : interval_fields(row.against_float)) fields.push_back(field);
    fields.push_back(row.uniform);
    for (std::string& field : interval_fields(row.against_uniform)) fields.push_back(field);
    fields.push_back(row.divergence ? number(*row.divergence) : "");
    file.stream() << csv_line(fields) << "\n";
  }
  file.commit();
}

std::vector<std::string> pareto_lines(const std::vector<ParetoRow>& rows) {
  std::vector<std::string> lines = {
      "mean bits a weight and top-1, with the change against others in points (95 %)"};
  for (const ParetoRow& row : rows) lines.push_back(line_of(row));
  return lines;
}

}  // namespace ptq::report
