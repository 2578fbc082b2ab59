#include "report/result_lines.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "report/parts.h"

namespace ptq::report {
namespace {

std::string of(int64_t part, int64_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

std::string accuracy_line(const std::string& what, const eval::Evaluation& evaluation) {
  const eval::Accuracy& accuracy = evaluation.accuracy;
  const double rate = evaluation.network_seconds > 0
                          ? static_cast<double>(accuracy.count) / evaluation.network_seconds
                          : 0;
  return what + "top-1 " + percent(accuracy.top1(), 3) + " (" +
         of(accuracy.correct, accuracy.count) + "), top-5 " + percent(accuracy.top5(), 3) + " (" +
         of(accuracy.correct_top5, accuracy.count) + "), " + fixed(rate, 1) + " images/s";
}

std::vector<std::string> comparison_lines(const Comparison& comparison) {
  const eval::PairedCounts& counts = comparison.counts;
  const eval::Interval& top1 = comparison.top1;
  return {"difference  " + fixed(100 * top1.difference, 3) + " points of top-1, 95 % interval " +
              fixed(100 * top1.low, 3) + " to " + fixed(100 * top1.high, 3) +
              " (paired, Bonett-Price): " + std::to_string(counts.only_first_right) +
              " right in float only, " + std::to_string(counts.only_second_right) +
              " quantized only",
          "agreement   " + of(counts.agreeing, counts.count) + " predictions are equal (" +
              percent(comparison.agreement(), 2) + ")"};
}

std::string time_line(const std::vector<Stage>& stages) {
  std::string line = "time        ";
  double total = 0;
  for (const Stage& stage : stages) {
    line += stage.name + " " + fixed(stage.seconds, 2) + " s, ";
    total += stage.seconds;
  }
  return line + "together " + fixed(total, 2) + " s";
}

std::string draws_line(const CalibrationDraws& draws) {
  return "draws       " + std::to_string(draws.top1.size()) + " calibration draws, seeds " +
         std::to_string(draws.seeds.front()) + " to " + std::to_string(draws.seeds.back()) +
         ": quantized top-1 " + percent(draws.mean(), 3) + " on average, standard deviation " +
         fixed(100 * draws.deviation(), 3) + " points, from " + percent(draws.low(), 3) + " to " +
         percent(draws.high(), 3);
}

void append_pairs(std::vector<std::string>& lines, const std::string& title,
                  const std::vector<data::ContentAudit::Pair>& pairs) {
  lines.push_back("  " + std::to_string(pairs.size()) + " " + title);
  for (const data::ContentAudit::Pair& pair : pairs) {
    lines.push_back("    " + pair.calibration + " as " + pair.other);
  }
}

}  // namespace

double CalibrationDraws::mean() const {
  return std::accumulate(top1.begin(), top1.end(), 0.0) / static_cast<double>(top1.size());
}

double CalibrationDraws::deviation() const {
  double sum = 0;
  for (const double each : top1) sum += (each - mean()) * (each - mean());
  return std::sqrt(sum / static_cast<double>(top1.size() - 1));
}

double CalibrationDraws::low() const { return *std::min_element(top1.begin(), top1.end()); }
double CalibrationDraws::high() const { return *std::max_element(top1.begin(), top1.end()); }

std::vector<std::string> result_lines(const RunResult& result) {
  std::vector<std::string> lines;
  if (result.float_evaluation) {
    lines.push_back(accuracy_line("float       ", *result.float_evaluation));
  }
  lines.push_back(accuracy_line("quantized   ", result.quantized));
  for (const auto& part : {attribution_lines(result), node_noise_lines(result)}) {
    lines.insert(lines.end(), part.begin(), part.end());
  }
  if (result.comparison) {
    for (std::string& line : comparison_lines(*result.comparison)) lines.push_back(std::move(line));
  }
  lines.push_back(time_line(result.stages));
  if (result.draws) lines.push_back(draws_line(*result.draws));
  return lines;
}

std::vector<std::string> audit_lines(const CalibrationAudit& audit) {
  std::vector<std::string> lines = {"calibration audit"};
  for (const data::ClassAudit::Count& count : audit.classes.classes) {
    lines.push_back("  class " + count.name + ": " + std::to_string(count.calibration) +
                    " calibration, " + std::to_string(count.validation) + " validation images");
  }
  lines.push_back("  distance from the classes of validation " + fixed(audit.classes.distance, 3) +
                  ", by chance below " + fixed(audit.classes.usual_distance, 3));
  append_pairs(lines, "duplicates", audit.contents.duplicates);
  append_pairs(lines, "also in validation", audit.contents.in_validation);
  return lines;
}

std::vector<std::string> arithmetic_lines(const std::vector<runtime::LayerArithmetic>& layers) {
  std::vector<std::string> lines;
  for (const runtime::LayerArithmetic& layer : layers) {
    lines.push_back("  arithmetic: " + layer.layer +
                    (layer.on_integers ? " runs on integers" : " runs on floats: " + layer.reason));
  }
  return lines;
}

}  // namespace ptq::report
