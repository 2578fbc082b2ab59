#include "quantize.h"

#include "calibration_batches.h"
#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "ptq/models/hand_defined.h"
#include "ptq/passes/calibrate.h"
#include "shared_stages.h"
#include "technique_stages.h"

namespace ptq::cli {
namespace {

bool calibrates_activations(const Config& config) {
  const auto& activations = config.placement.activations;
  return activations && activations->timing == quant::Timing::kStatic;
}

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
  quant::QuantizerTable table = timed(run, "place", [&] {
    return backends::place(run.config.backend, graph, run.config.placement);
  });
  if (table.quantizers.empty()) {
    throw QuantizationError(run.config.model_file + " has no layer that can be quantized");
  }
  timed(run, "weight scales", [&] { passes::initialize_weight_scales(graph, table); });
  return table;
}

/// Replaces preparation and placement, and the graph.
quant::QuantizerTable define_by_hand(Run& run, const models::HandDefined& by_hand,
                                     ir::Graph& graph) {
  const backends::PlacementOptions& placement = run.config.placement;
  models::HandDefinedOptions options;
  options.weight_bit_width = quant::bit_width(placement.weights.format);
  options.act_bit_width = quant::bit_width(placement.activations->format);
  options.image_size = run.config.recipe.crop;
  models::QuantizedNetwork network =
      timed(run, "define", [&] { return by_hand.build(models::weights_of(graph), options); });
  graph = std::move(network.graph);
  timed(run, "weight scales", [&] { passes::initialize_weight_scales(graph, network.table); });
  return std::move(network.table);
}

CalibratedActivations calibrated(Run& run, const ir::Graph& graph, quant::QuantizerTable& table,
                                 ImageSets& images) {
  const Config& config = run.config;
  CalibratedActivations made;
  timed(run, "calibration", [&] {
    passes::calibrate_activations(graph, table,
                                  {config.percentile, config.threads, config.compile, config.dtype},
                                  calibration_batches(run, images, "calibration", made.images));
  });
  made.scales = passes::activation_scales(graph, table);
  return made;
}

void calibrate(Run& run, const ir::Graph& graph, quant::QuantizerTable& table, ImageSets& images) {
  if (!calibrates_activations(run.config)) return;
  const CalibratedActivations made =
      shared(run, run.shared.activations, key_up_to(Level::kActivations, run.settings),
             [&] { return calibrated(run, graph, table, images); });
  passes::set_activation_scales(graph, table, made.scales);
  run.result.calibration_count = made.images;
}

/// Prepared and placed by a backend, or defined by hand where --model-name says so.
quant::QuantizerTable quantized_network(Run& run, ir::Graph& graph, ImageSets& images) {
  const std::string& name = run.settings.text("model-name");
  if (const auto* by_hand = models::find_hand_defined(name)) {
    return define_by_hand(run, *by_hand, graph);
  }
  graph = equalized(run, prepared(run, graph), images);
  return place(run, graph);
}

}  // namespace

bool needs_calibration_images(const Config& config) {
  return calibrates_activations(config) || config.correct_biases || config.calibrate_batch_norms ||
         config.activation_equalization.has_value();
}

quant::QuantizerTable quantize(Run& run, ir::Graph& graph, ImageSets& images) {
  quant::QuantizerTable table = quantized_network(run, graph, images);
  calibrate(run, graph, table, images);
  calibrate_batch_norms(run, graph, table, images);
  correct_biases(run, graph, table, images);
  return table;
}

}  // namespace ptq::cli
