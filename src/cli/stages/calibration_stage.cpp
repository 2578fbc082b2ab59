#include "cli/stages/calibration_stage.h"

#include <set>

#include "cli/shared_stages.h"
#include "cli/stages/calibration_batches.h"
#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "ptq/passes/calibrate.h"

namespace ptq::cli {
namespace {

/// An announced run that the passes of another can calibrate.
struct Companion {
  std::string key;
  passes::ActivationCalibration calibration;
};

/// None where its quantizers are not in the same places. What is wrong with it, its own run says.
std::optional<Companion> companion(const Settings& settings, const ir::Graph& unplaced,
                                   const std::string& placed) {
  try {
    const Config config = make_config(settings);
    if (!calibrates_activations(config)) return std::nullopt;
    ir::Graph graph = unplaced;
    quant::QuantizerTable table = backends::place(config.backend, graph, config.placement);
    if (ir::to_text(graph) != placed) return std::nullopt;
    return Companion{key_up_to(Level::kActivations, settings),
                     {std::move(table), config.percentile}};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<Companion> companions(Run& run, const ir::Graph& graph) {
  const std::string network = key_up_to(Level::kCalibrationImages, run.settings);
  const auto* unplaced = run.shared.equalized.find(network);
  if (unplaced == nullptr) return {};
  const std::string placed = ir::to_text(graph);
  std::set<std::string> known = {key_up_to(Level::kActivations, run.settings)};
  std::vector<Companion> found;
  for (const Settings& settings : run.shared.announced) {
    if (key_up_to(Level::kCalibrationImages, settings) != network) continue;
    const std::string key = key_up_to(Level::kActivations, settings);
    if (run.shared.activations.find(key) != nullptr || !known.insert(key).second) continue;
    if (auto made = companion(settings, unplaced->value.graph, placed)) {
      found.push_back(std::move(*made));
    }
  }
  return found;
}

/// The first of `all` is the run's own.
int64_t calibrate_together(Run& run, const ir::Graph& graph,
                           std::vector<passes::ActivationCalibration>& all, ImageSets& images) {
  const Config& config = run.config;
  int64_t count = 0;
  timed(run.log, "calibration", [&] {
    passes::calibrate_activations(graph, all,
                                  {config.percentile, config.threads, config.compile, config.dtype},
                                  calibration_batches(run, images, "calibration", count));
  });
  if (all.front().failure) std::rethrow_exception(all.front().failure);
  return count;
}

CalibratedActivations calibrated(Run& run, const ir::Graph& graph,
                                 const quant::QuantizerTable& table, ImageSets& images) {
  std::vector<Companion> others = companions(run, graph);
  std::vector<passes::ActivationCalibration> all = {{table, run.config.percentile}};
  for (Companion& other : others) all.push_back(std::move(other.calibration));
  const int64_t count = calibrate_together(run, graph, all, images);
  for (size_t i = 0; i < others.size(); ++i) {
    const passes::ActivationCalibration& other = all[i + 1];
    if (other.failure) continue;
    run.shared.activations.put(others[i].key,
                               {{passes::activation_scales(graph, other.table), count}, {}});
  }
  return {passes::activation_scales(graph, all.front().table), count};
}

}  // namespace

bool calibrates_activations(const Config& config) {
  const auto& activations = config.placement.activations;
  return activations && activations->timing == quant::Timing::kStatic;
}

void calibrate_activations(Run& run, const ir::Graph& graph, quant::QuantizerTable& table,
                           ImageSets& images) {
  if (!calibrates_activations(run.config)) return;
  const CalibratedActivations made =
      shared(run, run.shared.activations, key_up_to(Level::kActivations, run.settings),
             [&] { return calibrated(run, graph, table, images); });
  passes::set_activation_scales(graph, table, made.scales);
  run.result.calibration_count = made.images;
}

}  // namespace ptq::cli
