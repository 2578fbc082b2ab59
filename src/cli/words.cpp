#include "cli/words.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/report/attribution_words.h"

namespace ptq::cli {
namespace {

/// The options that the reference's line names, in its order.
std::vector<const Option*> labelled_options() {
  std::vector<const Option*> labelled;
  for (const Option& option : option_table()) {
    if (!option.label.empty()) labelled.push_back(&option);
  }
  std::sort(labelled.begin(), labelled.end(), [](const Option* one, const Option* other) {
    return one->label_place < other->label_place;
  });
  return labelled;
}

std::string colours(const std::array<float, 3>& values) {
  std::string line;
  for (const float value : values) line += (line.empty() ? "" : " ") + fixed(value, 3);
  return line;
}

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
  const double agreement = static_cast<double>(counts.agreeing) / static_cast<double>(counts.count);
  return {"difference  " + fixed(100 * top1.difference, 3) + " points of top-1, 95 % interval " +
              fixed(100 * top1.low, 3) + " to " + fixed(100 * top1.high, 3) +
              " (paired, Bonett-Price): " + std::to_string(counts.only_first_right) +
              " right in float only, " + std::to_string(counts.only_second_right) +
              " quantized only",
          "agreement   " + of(counts.agreeing, counts.count) + " predictions are equal (" +
              percent(agreement, 2) + ")"};
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

}  // namespace

std::string configuration_line(const Settings& settings, const Config& config) {
  std::string line = "Model: " + config.model_name;
  for (const Option* option : labelled_options()) {
    line += " - " + std::string(option->label) + ": " + to_text(settings.value(option->name));
  }
  return line;
}

std::vector<std::string> plan_lines(const Config& config) {
  const data::Recipe& recipe = config.recipe;
  const bool bicubic = recipe.interpolation == data::Interpolation::kBicubic;
  return {"model       " + config.model_file,
          "calibration " + config.calibration_dir + ", batches of " +
              std::to_string(config.batch_size_calibration),
          "validation  " + config.validation_dir + ", batches of " +
              std::to_string(config.batch_size_validation),
          "images      resize " + std::to_string(recipe.resize) +
              (bicubic ? " bicubic" : " bilinear") + ", crop " + std::to_string(recipe.crop) +
              ", mean " + colours(recipe.mean) + ", std " + colours(recipe.std),
          std::string("running     ") +
              (config.execution.compile ? "optimised plan" : "node by node") + ", " +
              std::to_string(config.execution.threads) + " threads, " +
              std::to_string(config.workers) + " decoding workers, device " +
              config.execution.device.str() + ", seed " + std::to_string(config.quantize.seed)};
}

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
  return lines;
}

}  // namespace ptq::cli
