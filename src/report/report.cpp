#include "report/report.h"

#include <sys/resource.h>
#include <torch/version.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "parity/export_words.h"
#include "report/parts.h"

namespace ptq::report {
namespace {

using nlohmann::json;

json resolved_json(const RunFacts& facts) {
  const data::Recipe& recipe = facts.recipe;
  const bool bicubic = recipe.interpolation == data::Interpolation::kBicubic;
  return {{"model_file", facts.model_file},
          {"model_name", facts.model_name},
          {"threads", facts.execution.threads},
          {"device", facts.execution.device.str()},
          {"arithmetic", runtime::word(facts.execution.arithmetic)},
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

json calibration_json(const RunFacts& facts, const RunResult& result) {
  return {{"count", result.calibration_count},
          {"sampling", facts.calibration_sampling},
          {"audit", audit_json(result.audit, facts.audit_detail)}};
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

/// Weights that are not quantized, of how many, their share of all values, and where they are.
json float_weights_json(const eval::FloatWeights& weights) {
  return {{"count", weights.count},
          {"of", weights.of},
          {"share", weights.share},
          {"places", weights.places}};
}

json entries_json(const ContentCache::Counts& counts) {
  return {{"found", counts.found}, {"made", counts.made}};
}

json cache_json(const RunResult& result) {
  if (!result.cache) return nullptr;
  const CacheUse& use = *result.cache;
  return {{"directory", use.directory},           {"crops", entries_json(use.crops)},
          {"answers", entries_json(use.answers)}, {"scales", entries_json(use.scales)},
          {"checks", entries_json(use.checks)},   {"stages", result.from_cache}};
}

/// Linux counts it in KiB.
double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

json number_or_null(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? json(*value) : json();
}

json report_json(const RunFacts& facts, const json& options, const RunResult& result) {
  const auto& of_float = result.float_evaluation;
  const auto& comparison = result.comparison;
  json all = {
      {"run_name", facts.run_name},
      {"count", result.quantized.accuracy.count},
      {"float", of_float ? evaluation_json(*of_float) : json()},
      {"quantized", evaluation_json(result.quantized)},
      {"difference", comparison ? difference_json(*comparison) : json()},
      {"agreement", comparison ? json(comparison->agreement()) : json()},
      {"agreeing", comparison ? json(comparison->counts.agreeing) : json()},
      {"images_per_second",
       {{"float", of_float ? rate(*of_float) : json()}, {"quantized", rate(result.quantized)}}},
      {"calibration", calibration_json(facts, result)},
      {"repeat_calibration", draws_json(result.draws)},
      {"unreadable", unreadable_json(result.unreadable)},
      {"stages", stages_json(result.stages)},
      {"cache", cache_json(result)},
      {"passes", passes_json(result.techniques.passes)},
      {"function", function_json(result.techniques)},
      {"relu6", relu6_json(result.techniques)},
      {"techniques", techniques_json(result.techniques)},
      {"arithmetic", arithmetic_json(result.layers)},
      {"sensitivity", sensitivity_json(result.sensitivity)},
      {"bits", bits_json(result.bits)},
      {"pareto", pareto_json(result.pareto)},
      {"attribution", attribution_json(result)},
      {"node_noise", node_noise_json(result)},
      {"exports", result.exports ? parity::exports_json(*result.exports) : json()},
      {"warnings", result.warnings},
      {"guards", result.guards},
      {"float_weights", float_weights_json(result.float_weights)},
      {"gate", gate_json(result)},
      {"hashes", hashes_json(result.hashes)},
      {"peak_rss_mib", peak_rss_mib()},
      {"seed", facts.seed},
      {"config", options},
      {"resolved", resolved_json(facts)},
      {"versions", {{"ptq_eval", facts.version}, {"libtorch", TORCH_VERSION}}},
      {"command", facts.command},
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

}  // namespace ptq::report
