#include "quantize.h"

#include "calibration_batches.h"
#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "ptq/passes/calibrate.h"
#include "technique_stages.h"

namespace ptq::cli {
namespace {

bool calibrates_activations(const Config& config) {
  const auto& activations = config.placement.activations;
  return activations && activations->timing == quant::Timing::kStatic;
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

void calibrate(Run& run, const ir::Graph& graph, quant::QuantizerTable& table, ImageSets& images) {
  const Config& config = run.config;
  if (!calibrates_activations(config)) return;
  timed(run, "calibration", [&] {
    passes::calibrate_activations(
        graph, table, {config.percentile, config.threads, config.compile, config.dtype},
        calibration_batches(run, images, "calibration", run.result.calibration_count));
  });
}

}  // namespace

bool needs_calibration_images(const Config& config) {
  return calibrates_activations(config) || config.correct_biases || config.calibrate_batch_norms ||
         config.activation_equalization.has_value();
}

quant::QuantizerTable quantize(Run& run, ir::Graph& graph, ImageSets& images) {
  prepare(run, graph);
  equalize_activations(run, graph, images);
  quant::QuantizerTable table = place(run, graph);
  calibrate(run, graph, table, images);
  calibrate_batch_norms(run, graph, table, images);
  correct_biases(run, graph, table, images);
  return table;
}

}  // namespace ptq::cli
