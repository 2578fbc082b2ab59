#include "quantize.h"

#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "ptq/data/normalize.h"
#include "ptq/passes/calibrate.h"
#include "ptq/passes/calibrate_batch_norms.h"
#include "ptq/passes/correct_biases.h"
#include "words.h"

namespace ptq::cli {
namespace {

bool calibrates_activations(const Config& config) {
  const auto& activations = config.placement.activations;
  return activations && activations->timing == quant::Timing::kStatic;
}

/// The calibration images from the first on, with the progress of `stage`.
passes::NextBatch calibration_batches(Run& run, ImageSets& images, const std::string& stage,
                                      int64_t& done) {
  images.calibration().start(run.config.batch_size_calibration);
  return [&run, &images, stage, &done]() -> std::optional<at::Tensor> {
    run.log.progress(stage, done, images.calibration().size());
    const std::optional<data::Batch> batch = images.calibration().next();
    if (!batch) return std::nullopt;
    done += static_cast<int64_t>(batch->items.size());
    return data::normalize(batch->pixels, run.config.recipe).to(run.config.device);
  };
}

/// `work(next_batch)` as a stage over the calibration images.
template <class Work>
auto over_images(Run& run, ImageSets& images, const std::string& stage, Work&& work) {
  int64_t done = 0;
  return timed(run, stage, [&] { return work(calibration_batches(run, images, stage, done)); });
}

void explain(Run& run, const std::string& pass,
             const std::vector<passes::RejectedRegion>& rejected) {
  if (!run.config.explain) return;
  for (const passes::RejectedRegion& region : rejected) {
    run.log.line("  " + pass + " leaves out " + region.source + ": " + region.at + ": " +
                 region.reason);
  }
}

void prepare(Run& run, ir::Graph& graph) {
  passes::PreparationOptions options = run.config.preparation;
  options.equalization.on_report = [&](const passes::EqualizationReport& report) {
    run.result.equalization = report;
    run.log.line("equalize-graph: " + equalization_words(report));
    explain(run, "equalize-graph", report.rejected);
    if (report.regions == 0 && run.settings.given("graph-eq-iterations")) {
      warn(run, "--graph-eq-iterations: there is nothing to equalize in this network");
    }
  };
  options.splitting.on_report = [&](const passes::SplittingReport& report) {
    run.result.splitting = report;
    run.log.line("split-channels: " + std::to_string(report.regions) + " regions, " +
                 std::to_string(report.channels) + " channels added");
    if (report.regions == 0) {
      warn(run, "--channel-splitting-ratio: there is nothing to split in this network");
    }
  };
  run.result.passes = timed(run, "prepare", [&] { return passes::prepare(graph, options); });
}

void equalize_activations(Run& run, ir::Graph& graph, ImageSets& images) {
  const Config& config = run.config;
  if (!config.activation_equalization) return;
  passes::ActivationEqualizationOptions options = *config.activation_equalization;
  options.run = {100, config.threads, config.compile, config.dtype};
  const auto report =
      over_images(run, images, "activation equalization", [&](const passes::NextBatch& next) {
        return passes::equalize_activations(graph, options, next);
      });
  run.result.activation_equalization = report;
  run.log.line("equalize-activations: " + std::to_string(report.regions) + " regions, " +
               std::to_string(report.layers) + " layers");
  explain(run, "equalize-activations", report.rejected);
  if (report.regions == 0) {
    warn(run, "--act-equalization: there is nothing to equalize in this network");
  }
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

void calibrate_batch_norms(Run& run, ir::Graph& graph, const quant::QuantizerTable& table,
                           ImageSets& images) {
  if (!run.config.calibrate_batch_norms) return;
  const int count =
      over_images(run, images, "batch norm calibration", [&](const passes::NextBatch& next) {
        return passes::calibrate_batch_norms(graph, table, {run.config.threads, run.config.dtype},
                                             next);
      });
  run.log.line("calibrate-batch-norms: " + std::to_string(count) + " batch norms");
  if (count == 0) warn(run, "--calibrate-bn: there is no batch norm left in this network");
}

void correct_biases(Run& run, ir::Graph& graph, const quant::QuantizerTable& table,
                    ImageSets& images) {
  const Config& config = run.config;
  if (!config.correct_biases) return;
  passes::BiasCorrectionOptions options;
  options.input_quantizers = config.backend == backends::Backend::kLayerwise
                                 ? passes::InputQuantizers::kLayer
                                 : passes::InputQuantizers::kGraph;
  options.threads = config.threads;
  options.compile = config.compile;
  options.dtype = config.dtype;
  const auto report =
      over_images(run, images, "bias correction", [&](const passes::NextBatch& next) {
        return passes::correct_biases(graph, table, options, next);
      });
  run.result.bias_correction = report;
  run.log.line("correct-biases: " + std::to_string(report.layers) + " layers, " +
               std::to_string(report.created) + " of them without a bias before, mean |shift| " +
               significant(report.mean_shift));
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
