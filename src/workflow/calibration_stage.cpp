#include <set>
#include <utility>

#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "ptq/passes/calibrate.h"
#include "workflow/kept_calibration.h"
#include "workflow/technique_stages.h"

namespace ptq::workflow {
namespace {

/// An announced quantization that the passes of another can calibrate.
struct Companion {
  const QuantizeConfig* config;
  std::string key;
  passes::ActivationCalibration calibration;
};

/// None where its quantizers are not in the same places. What is wrong with it, its own run says.
std::optional<Companion> companion(const QuantizeConfig& config, const std::string& key,
                                   const ir::Graph& unplaced, const std::string& placed) {
  try {
    if (!calibrates_activations(config)) return std::nullopt;
    QuantizedNetwork network = backends::place(config.backend, unplaced, placement_options(config));
    if (ir::to_text(network.graph) != placed) return std::nullopt;
    return Companion{&config, key, {std::move(network.table), config.activations->percentile}};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<Companion> companions(const ir::Graph& graph, const QuantizeConfig& config,
                                  const Context& context) {
  const std::string network = equalized_key(context.source, config);
  SharedStages& stages = context.session.stages();
  const auto* unplaced = stages.equalized.find(network);
  if (unplaced == nullptr) return {};
  const std::string placed = ir::to_text(graph);
  std::set<std::string> known = {calibrated_key(context.source, config)};
  std::vector<Companion> found;
  for (const Announced& other : stages.announced) {
    Source source = other.source;
    source.has_clamps = context.source.has_clamps;  // of the same graph, or else no companion
    if (equalized_key(source, other.config) != network) continue;
    const std::string key = calibrated_key(source, other.config);
    if (stages.activations.find(key) != nullptr || !known.insert(key).second) continue;
    if (auto made = companion(other.config, key, unplaced->value.graph, placed)) {
      found.push_back(std::move(*made));
    }
  }
  return found;
}

/// The first of `all` is the quantization's own.
int64_t calibrate_together(const ir::Graph& graph, std::vector<passes::ActivationCalibration>& all,
                           const data::ImageSet& images, const Context& context) {
  const double percentile = all.front().percentile;
  int64_t count = 0;
  timed(context.log, "calibration", [&] {
    passes::calibrate_activations(graph, all, {percentile, context.execution},
                                  batches_of(images, "calibration", context, count));
  });
  if (all.front().failure) std::rethrow_exception(all.front().failure);
  return count;
}

CalibratedActivations calibrated(const QuantizedNetwork& network, const QuantizeConfig& config,
                                 const data::ImageSet& images, const Context& context) {
  const ir::Graph& graph = network.graph;
  std::vector<Companion> others = companions(graph, config, context);
  std::vector<passes::ActivationCalibration> all = {
      {network.table, config.activations->percentile}};
  for (Companion& other : others) all.push_back(std::move(other.calibration));
  const int64_t count = calibrate_together(graph, all, images, context);
  CalibratedActivations own = {passes::activation_scales({graph, all.front().table}), count};
  keep_scales(own, config, images, context);
  for (size_t i = 0; i < others.size(); ++i) {
    const passes::ActivationCalibration& other = all[i + 1];
    if (other.failure) continue;
    const CalibratedActivations made = {passes::activation_scales({graph, other.table}), count};
    keep_scales(made, *others[i].config, images, context);
    context.session.stages().activations.put(others[i].key, {made, {}});
  }
  return own;
}

}  // namespace

int64_t calibrate_activations(QuantizedNetwork& network, const QuantizeConfig& config,
                              const std::optional<data::ImageSet>& images, const Context& context) {
  if (!calibrates_activations(config)) return 0;
  const CalibratedActivations made =
      shared(context.session, context.log, context.session.stages().activations,
             calibrated_key(context.source, config), [&] {
               if (auto kept = kept_scales(config, *images, context)) return *std::move(kept);
               return calibrated(network, config, *images, context);
             });
  passes::set_activation_scales(network, made.scales);
  return made.images;
}

}  // namespace ptq::workflow
