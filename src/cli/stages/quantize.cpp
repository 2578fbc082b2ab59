#include "cli/stages/quantize.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "cli/shared_stages.h"
#include "cli/stages/calibration_stage.h"
#include "cli/stages/node_noise_stage.h"
#include "cli/stages/rounding_stages.h"
#include "cli/stages/technique_stages.h"
#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "ptq/models/hand_defined.h"
#include "ptq/passes/calibrate.h"

namespace ptq::cli {
namespace {

ir::Graph prepared(Run& run, const ir::Graph& imported) {
  const std::string key = key_up_to(Level::kPreparation, run.settings);
  PreparedGraph made = shared(run, run.shared.prepared, key, [&] {
    ir::Graph graph = imported;
    prepare(run, graph);
    const RunResult& result = run.result;
    return PreparedGraph{std::move(graph), result.passes, result.equalization, result.splitting};
  });
  run.result.passes = std::move(made.passes);
  run.result.equalization = std::move(made.equalization);
  run.result.splitting = made.splitting;
  return std::move(made.graph);
}

ir::Graph equalized(Run& run, ir::Graph graph, ImageSets& images) {
  const std::string key = key_up_to(Level::kCalibrationImages, run.settings);
  EqualizedGraph made = shared(run, run.shared.equalized, key, [&] {
    equalize_activations(run, graph, images);
    return EqualizedGraph{std::move(graph), run.result.activation_equalization};
  });
  run.result.activation_equalization = std::move(made.report);
  return std::move(made.graph);
}

quant::QuantizerTable place(Run& run, ir::Graph& graph) {
  quant::QuantizerTable table = timed(run.log, "place", [&] {
    return backends::place(run.config.backend, graph, run.config.placement);
  });
  if (table.quantizers.empty()) {
    throw QuantizationError(run.config.model_file + " has no layer that can be quantized");
  }
  timed(run.log, "weight scales", [&] { passes::initialize_weight_scales(graph, table); });
  return table;
}

/// Prepared and placed by a backend, or defined by hand where --model-name says so.
quant::QuantizerTable quantized_network(Run& run, ir::Graph& graph, ImageSets& images) {
  if (!models::find_hand_defined(run.settings.text("model-name"))) {
    graph = equalized(run, prepared(run, graph), images);
    return place(run, graph);
  }
  models::QuantizedNetwork network =
      timed(run.log, "define", [&] { return *defined_by_hand(run, graph); });
  graph = std::move(network.graph);
  timed(run.log, "weight scales", [&] { passes::initialize_weight_scales(graph, network.table); });
  return std::move(network.table);
}

/// Everything up to scales: what techniques that change weights begin with.
quant::QuantizerTable place_and_calibrate(Run& run, ir::Graph& graph, ImageSets& images) {
  quant::QuantizerTable table = quantized_network(run, graph, images);
  calibrate_activations(run, graph, table, images);
  return table;
}

/// A technique that comes before placement.
struct EarlyTechnique {
  const char* name;
  bool is_on;
  void (*turn_off)(Config& config);
};

std::vector<EarlyTechnique> early_techniques(const Config& config) {
  const std::vector<EarlyTechnique> all = {
      {"equalize-graph", config.preparation.equalization.iterations > 0,
       [](Config& without) { without.preparation.equalization.iterations = 0; }},
      {"split-channels", config.preparation.splitting.ratio > 0,
       [](Config& without) { without.preparation.splitting.ratio = 0; }},
      {"equalize-activations", config.activation_equalization.has_value(),
       [](Config& without) { without.activation_equalization.reset(); }},
  };
  std::vector<EarlyTechnique> on;
  std::copy_if(all.begin(), all.end(), std::back_inserter(on),
               [](const EarlyTechnique& technique) { return technique.is_on; });
  return on;
}

/// Rows for the network with the first techniques alone, none of them to begin with; returns the
/// name of the row for all of them.
std::string attribute_early_techniques(Run& run, const ir::Graph& graph, ImageSets& images,
                                       Attribution& attribution) {
  std::string stage = calibrates_activations(run.config) ? "calibration" : "placement";
  const bool is_by_hand = models::find_hand_defined(run.settings.text("model-name")) != nullptr;
  if (!attribution.is_on() || is_by_hand) return stage;
  const std::vector<EarlyTechnique> techniques = early_techniques(run.config);
  for (size_t count = 0; count < techniques.size(); ++count) {
    Config config = run.config;
    for (size_t i = count; i < techniques.size(); ++i) techniques[i].turn_off(config);
    ProgressOnly progress(run.log);
    RecordingLog log(progress);
    SharedStages nothing;  // its keys would be those of the run with all techniques
    Run aside{run.settings, config, log, nothing, {}};
    ir::Graph copy = graph;
    const quant::QuantizerTable table = place_and_calibrate(aside, copy, images);
    attribution.row(stage, copy, table);
    stage = techniques[count].name;
  }
  return stage;
}

/// A technique that changes a placed and calibrated network.
struct LateTechnique {
  std::string name;
  std::function<void()> apply;
};

/// Those that were asked for, in the reference's order (reference-contract 1.1). `originals` are
/// the weights before techniques rounded them.
std::vector<LateTechnique> late_techniques(Run& run, ir::Graph& graph,
                                           const quant::QuantizerTable& table,
                                           passes::OriginalWeights& originals, ImageSets& images) {
  std::vector<LateTechnique> techniques;
  for (const passes::RoundingOptions& options : run.config.rounding) {
    techniques.push_back({std::string(name_of(options.technique)), [&, options] {
                            round_weights(run, graph, table, options, originals, images);
                          }});
  }
  if (run.config.learned_round) {
    techniques.push_back(
        {"learned-round", [&] { originals.merge(learn_rounding(run, graph, table, images)); }});
  }
  if (run.config.calibrate_batch_norms) {
    techniques.push_back(
        {"calibrate-batch-norms", [&] { calibrate_batch_norms(run, graph, table, images); }});
  }
  const auto& learned = run.config.learned_round;
  if (run.config.correct_biases && !(learned && learned->correct_biases)) {
    techniques.push_back(
        {"correct-biases", [&] { correct_biases(run, graph, table, originals, images); }});
  }
  return techniques;
}

}  // namespace

std::optional<models::QuantizedNetwork> defined_by_hand(const Run& run, const ir::Graph& imported) {
  const auto* by_hand = models::find_hand_defined(run.settings.text("model-name"));
  if (by_hand == nullptr) return std::nullopt;
  const backends::PlacementOptions& placement = run.config.placement;
  models::HandDefinedOptions options;
  options.weight_bit_width = quant::bit_width(placement.weights.format);
  options.act_bit_width = quant::bit_width(placement.activations->format);
  options.image_size = run.config.recipe.crop;
  return by_hand->build(models::weights_of(imported), options);
}

bool needs_calibration_images(const Config& config) {
  return calibrates_activations(config) || config.correct_biases || config.calibrate_batch_norms ||
         config.activation_equalization.has_value() || !config.rounding.empty() ||
         config.learned_round.has_value();
}

quant::QuantizerTable quantize(Run& run, ir::Graph& graph, ImageSets& images,
                               Attribution& attribution) {
  const std::string calibrated = attribute_early_techniques(run, graph, images, attribution);
  const quant::QuantizerTable table = place_and_calibrate(run, graph, images);
  attribution.row(calibrated, graph, table);
  const ir::Graph placed = graph;
  passes::OriginalWeights originals;
  for (const LateTechnique& technique : late_techniques(run, graph, table, originals, images)) {
    technique.apply();
    attribution.row(technique.name, graph, table);
  }
  measure_node_noise(run, placed, graph, table, images);
  return table;
}

}  // namespace ptq::cli
