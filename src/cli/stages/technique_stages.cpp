#include "cli/stages/technique_stages.h"

#include "cli/shared_stages.h"
#include "cli/stages/calibration_batches.h"
#include "cli/stages/explanation.h"
#include "cli/words.h"
#include "ptq/base/text.h"
#include "ptq/passes/calibrate_batch_norms.h"
#include "ptq/passes/correct_biases.h"

namespace ptq::cli {
namespace {

template <class Report>
void explain(Run& run, const std::string& pass, const Report& report) {
  if (!run.config.explain) return;
  for (const std::string& line : explanation(report.regions, report.rejected)) {
    run.log.line("  " + pass + ": " + line);
  }
}

}  // namespace

void prepare(Run& run, ir::Graph& graph) {
  passes::PreparationOptions options = run.config.preparation;
  options.equalization.on_report = [&](const passes::EqualizationReport& report) {
    run.result.equalization = report;
    run.log.line("equalize-graph: " + equalization_words(report));
    explain(run, "equalize-graph", report);
    if (report.regions.empty() && run.settings.given("graph-eq-iterations")) {
      run.log.warning("--graph-eq-iterations: there is nothing to equalize in this network");
    }
  };
  options.splitting.on_report = [&](const passes::SplittingReport& report) {
    run.result.splitting = report;
    run.log.line("split-channels: " + std::to_string(report.regions.size()) + " regions, " +
                 std::to_string(report.channels) + " channels added");
    explain(run, "split-channels", report);
    if (report.regions.empty()) {
      run.log.warning("--channel-splitting-ratio: there is nothing to split in this network");
    }
  };
  run.result.passes = timed(run.log, "prepare", [&] { return passes::prepare(graph, options); });
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
  run.log.line("equalize-activations: " + equalization_words(report));
  explain(run, "equalize-activations", report);
  if (report.regions.empty()) {
    run.log.warning("--act-equalization: there is nothing to equalize in this network");
  }
}

void calibrate_batch_norms(Run& run, ir::Graph& graph, const quant::QuantizerTable& table,
                           ImageSets& images) {
  const int count =
      over_images(run, images, "batch norm calibration", [&](const passes::NextBatch& next) {
        return passes::calibrate_batch_norms(graph, table, {run.config.threads, run.config.dtype},
                                             next);
      });
  run.log.line("calibrate-batch-norms: " + std::to_string(count) + " batch norms");
  if (count == 0) run.log.warning("--calibrate-bn: there is no batch norm left in this network");
}

void correct_biases(Run& run, ir::Graph& graph, const quant::QuantizerTable& table,
                    const passes::OriginalWeights& originals, ImageSets& images) {
  const Config& config = run.config;
  passes::BiasCorrectionOptions options;
  options.input_quantizers = config.backend == backends::Backend::kLayerwise
                                 ? passes::InputQuantizers::kLayer
                                 : passes::InputQuantizers::kGraph;
  options.threads = config.threads;
  options.compile = config.compile;
  options.dtype = config.dtype;
  options.original_weights = originals;
  const auto measure = [&] {
    int64_t done = 0;
    return passes::mean_layer_inputs(graph, table, options,
                                     calibration_batches(run, images, "bias correction", done));
  };
  const std::string key = key_up_to(Level::kActivations, run.settings);
  const auto report = timed(run.log, "bias correction", [&] {
    // Calibrating batch norms makes what layers read depend on the weights' quantizers, and so do
    // rounded weights that stand for the float ones.
    const bool is_own = config.calibrate_batch_norms || !config.keep_original_weights;
    const passes::LayerInputMeans means =
        is_own ? measure() : shared(run, run.shared.input_means, key, measure);
    return passes::correct_biases(graph, table, options, means);
  });
  run.result.bias_correction = report;
  run.log.line("correct-biases: " + std::to_string(report.layers) + " layers, " +
               std::to_string(report.created) + " of them without a bias before, mean |shift| " +
               significant(report.mean_shift));
}

}  // namespace ptq::cli
