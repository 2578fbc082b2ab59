#include "cli/report/report.h"

#include <sys/resource.h>
#include <torch/version.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "cli/options/run_name.h"
#include "cli/page/details_json.h"
#include "cli/report/attribution_words.h"
#include "cli/report/report_checks.h"
#include "cli/report/report_function.h"
#include "cli/report/report_techniques.h"
#include "parity/export_words.h"

namespace ptq::cli {
namespace {

using nlohmann::json;

json to_json(const Value& value) {
  return std::visit(
      [](const auto& held) -> json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

std::string key_of(std::string_view name) {
  std::string key(name);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

}  // namespace

json config_json(const Settings& settings) {
  json all = json::object();
  for (const Option& option : option_table()) {
    if (option.name != "config") all[key_of(option.name)] = to_json(settings.value(option.name));
  }
  return all;
}

namespace {

json resolved_json(const Config& config) {
  const data::Recipe& recipe = config.recipe;
  const bool bicubic = recipe.interpolation == data::Interpolation::kBicubic;
  return {{"model_file", config.model_file},
          {"model_name", config.model_name},
          {"threads", config.execution.threads},
          {"device", config.execution.device.str()},
          {"resize", recipe.resize},
          {"crop", recipe.crop},
          {"mean", recipe.mean},
          {"std", recipe.std},
          {"interpolation", bicubic ? "bicubic" : "bilinear"}};
}

json evaluation_json(const eval::Evaluation& evaluation) {
  const eval::Accuracy& accuracy = evaluation.accuracy;
  return {{"top1", accuracy.top1()},
          {"top5", accuracy.top5()},
          {"correct", accuracy.correct},
          {"correct_top5", accuracy.correct_top5},
          {"network_seconds", evaluation.network_seconds},
          {"waiting_seconds", evaluation.waiting_seconds}};
}

json calibration_json(const Settings& settings, const RunResult& result) {
  const AuditDetail detail =
      settings.is_on("audit-calibration") ? AuditDetail::kAll : AuditDetail::kNumbers;
  return {{"count", result.calibration_count},
          {"sampling", settings.text("calibration-sampling")},
          {"audit", result.audit ? audit_json(*result.audit, detail) : json()}};
}

json rate(const eval::Evaluation& evaluation) {
  if (evaluation.network_seconds <= 0) return nullptr;
  return static_cast<double>(evaluation.accuracy.count) / evaluation.network_seconds;
}

json difference_json(const Comparison& comparison) {
  return {{"top1", comparison.top1.difference},
          {"low", comparison.top1.low},
          {"high", comparison.top1.high},
          {"confidence", 0.95},
          {"method", "Bonett-Price adjusted Wald, paired"},
          {"only_float_right", comparison.counts.only_first_right},
          {"only_quantized_right", comparison.counts.only_second_right}};
}

double agreement(const eval::PairedCounts& counts) {
  return static_cast<double>(counts.agreeing) / static_cast<double>(counts.count);
}

json unreadable_json(const std::vector<UnreadableImage>& images) {
  json list = json::array();
  for (const UnreadableImage& image : images) {
    list.push_back({{"set", image.set}, {"path", image.path}, {"reason", image.reason}});
  }
  return {{"count", images.size()}, {"images", list}};
}

json stages_json(const std::vector<Stage>& stages) {
  json list = json::array();
  for (const Stage& stage : stages) {
    list.push_back({{"name", stage.name}, {"seconds", stage.seconds}});
  }
  return list;
}

json passes_json(const std::vector<passes::PassReport>& passes) {
  json list = json::array();
  for (const passes::PassReport& pass : passes) {
    list.push_back(
        {{"name", pass.name}, {"changes", pass.changes}, {"milliseconds", pass.milliseconds}});
  }
  return list;
}

/// As a shell reads it back.
std::string shell_word(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// The words that an option takes; a text is one word, three numbers are three.
std::string value_words(const Option& option, const Value& value) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    std::string words;
    for (const std::string& each : *texts) {
      words += (words.empty() ? "" : " --" + std::string(option.name) + " ") + shell_word(each);
    }
    return words;
  }
  const std::string text = to_text(value);
  return option.type == ValueType::kNumbers ? text : shell_word(text);
}

/// What was asked for, from a file of options or on the command line, as one command.
std::string command_of(const Settings& settings) {
  std::string command = "ptq_imagenet_val";
  for (const Option& option : option_table()) {
    if (!settings.given(option.name) || option.name == "config") continue;
    const std::string flag = std::string(option.name);
    const Value& value = settings.value(option.name);
    if (const bool* on = std::get_if<bool>(&value)) {
      if (*on || option.type == ValueType::kOnOff) command += (*on ? " --" : " --no-") + flag;
      continue;
    }
    command += " --" + flag + " " + value_words(option, value);
  }
  return command;
}

/// What each layer computes in, and why not in integers; null where none was to.
json arithmetic_json(const std::vector<runtime::LayerArithmetic>& layers) {
  if (layers.empty()) return nullptr;
  json list = json::array();
  int64_t integers = 0;
  for (const runtime::LayerArithmetic& layer : layers) {
    integers += layer.on_integers ? 1 : 0;
    list.push_back(
        {{"layer", layer.layer}, {"integers", layer.on_integers}, {"reason", layer.reason}});
  }
  return {{"on_integers", integers}, {"count", layers.size()}, {"layers", list}};
}

/// Linux counts it in KiB.
double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

json report(const Settings& settings, const Config& config, const RunResult& result) {
  const auto& of_float = result.float_evaluation;
  const auto& comparison = result.comparison;
  json all = {
      {"run_name", run_name(settings, config)},
      {"count", result.quantized.accuracy.count},
      {"float", of_float ? evaluation_json(*of_float) : json()},
      {"quantized", evaluation_json(result.quantized)},
      {"difference", comparison ? difference_json(*comparison) : json()},
      {"agreement", comparison ? json(agreement(comparison->counts)) : json()},
      {"agreeing", comparison ? json(comparison->counts.agreeing) : json()},
      {"images_per_second",
       {{"float", of_float ? rate(*of_float) : json()}, {"quantized", rate(result.quantized)}}},
      {"calibration", calibration_json(settings, result)},
      {"repeat_calibration", draws_json(result.draws)},
      {"unreadable", unreadable_json(result.unreadable)},
      {"stages", stages_json(result.stages)},
      {"passes", passes_json(result.techniques.passes)},
      {"function", function_json(result.techniques)},
      {"relu6", relu6_json(result.techniques)},
      {"techniques", techniques_json(result)},
      {"arithmetic", arithmetic_json(result.layers)},
      {"attribution", attribution_json(result)},
      {"node_noise", node_noise_json(result)},
      {"exports", result.exports ? parity::exports_json(*result.exports) : json()},
      {"warnings", result.warnings},
      {"guards", result.guards},
      {"gate", gate_json(result)},
      {"hashes", hashes_json(result.hashes)},
      {"peak_rss_mib", peak_rss_mib()},
      {"seed", config.quantize.seed},
      {"config", config_json(settings)},
      {"resolved", resolved_json(config)},
      {"versions", {{"ptq_eval", PTQ_VERSION}, {"libtorch", TORCH_VERSION}}},
      {"command", command_of(settings)},
  };
  add_details(all, result);
  return all;
}

/// Names of files may be anything; JSON is UTF-8.
constexpr auto kReplacing = json::error_handler_t::replace;

void write_report(const std::string& path, const json& report) {
  AtomicFile file(path);
  file.stream() << report.dump(2, ' ', false, kReplacing) << "\n";
  file.commit();
}

}  // namespace ptq::cli
