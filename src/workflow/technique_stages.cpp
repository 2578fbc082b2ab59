#include "workflow/technique_stages.h"

#include <memory>
#include <utility>

#include "base/text.h"
#include "passes/calibrate_batch_norms.h"
#include "workflow/kept_calibration.h"
#include "workflow/technique_words.h"

namespace ptq::workflow {
namespace {

template <class Report>
void explain(const Context& context, const std::string& pass, const Report& report) {
  if (context.explain == Explain::kNo) return;
  for (const std::string& line : explanation(report.regions, report.rejected)) {
    context.log.line("  " + pass + ": " + line);
  }
}

/// Whether blocks learn scales of activations.
bool learns_scales(const QuantizeConfig& config) {
  return config.learned_round && config.learned_round->activation_learning_rate > 0;
}

/// Whether GPTQ is told to keep no original weights.
bool forgets_weights(const QuantizeConfig& config) {
  for (const Rounding::Technique& technique : config.rounding.techniques()) {
    const auto* gptq = std::get_if<Gptq>(&technique);
    if (gptq != nullptr && !gptq->keep_original_weights) return true;
  }
  return false;
}

}  // namespace

Context on_the_cpu(const Context& context, const std::string& technique) {
  Context on_cpu = context;
  if (!context.execution.device.is_cpu()) {
    context.log.line(technique + ": on the CPU, for it has no form on " +
                     context.execution.device.str());
    on_cpu.execution.device = at::kCPU;
  }
  return on_cpu;
}

passes::NextBatch batches_of(const data::ImageSet& images, const std::string& stage,
                             const Context& context, int64_t& done) {
  const auto batches = std::make_shared<data::Batches>(images, context.execution.device);
  const int64_t size = images.size();
  Log* log = &context.log;
  return [batches, stage, size, log, &done]() {
    log->progress(stage, done, size);
    std::optional<at::Tensor> batch = batches->next();
    done = batches->done();
    return batch;
  };
}

PreparedGraph prepare(const ir::Graph& imported, const QuantizeConfig& config,
                      const std::optional<Relu6Choice>& relu6, FunctionWatch& watch,
                      const Context& context) {
  PreparedGraph made{imported, {}, {}, {}, {}};
  passes::PreparationOptions options = preparation_options(config);
  if (relu6) options.relu6 = relu6->becomes;
  options.equalization.on_report = [&](const passes::EqualizationReport& report) {
    made.equalization = report;
    context.log.line("equalize-graph: " + equalization_words(report));
    explain(context, "equalize-graph", report);
    if (report.regions.empty()) {
      context.log.no_effect("equalization.iterations",
                            "there is nothing to equalize in this network");
    }
  };
  options.splitting.on_report = [&](const passes::SplittingReport& report) {
    made.splitting = report;
    context.log.line("split-channels: " + std::to_string(report.regions.size()) + " regions, " +
                     std::to_string(report.channels) + " channels added");
    explain(context, "split-channels", report);
    if (report.regions.empty()) {
      context.log.no_effect("splitting.ratio", "there is nothing to split in this network");
    }
  };
  std::vector<Snapshot> snapshots;
  made.passes = timed(context.log, "prepare", [&] {
    return passes::prepare(made.graph, options,
                           [&](const std::string& pass, const ir::Graph& after) {
                             snapshots.push_back({pass, after});
                           });
  });
  watch.note_preparation(snapshots);
  made.function = watch.rows();
  return made;
}

EqualizedGraph equalize_activations(ir::Graph graph, const QuantizeConfig& config,
                                    const std::optional<data::ImageSet>& images,
                                    const Context& context) {
  if (!config.activation_equalization) return {std::move(graph), {}, {}};
  FunctionWatch watch(images, context, graph);
  passes::ActivationEqualizationOptions options;
  options.mode = config.activation_equalization->mode;
  options.alpha = config.activation_equalization->alpha;
  options.execution = context.execution;
  const auto report =
      over_images(*images, "activation equalization", context, [&](const passes::NextBatch& next) {
        return passes::equalize_activations(graph, options, next);
      });
  context.log.line("equalize-activations: " + equalization_words(report));
  explain(context, "equalize-activations", report);
  if (report.regions.empty()) {
    context.log.no_effect("activation_equalization",
                          "there is nothing to equalize in this network");
  }
  if (!report.regions.empty()) watch.note("equalize-activations", graph);
  return {std::move(graph), watch.rows(), report};
}

void calibrate_batch_norms(QuantizedNetwork& network, const data::ImageSet& images,
                           const Context& context) {
  const int count =
      over_images(images, "batch norm calibration", context, [&](const passes::NextBatch& next) {
        return passes::calibrate_batch_norms(network, context.execution, next);
      });
  context.log.line("calibrate-batch-norms: " + std::to_string(count) + " batch norms");
  if (count == 0) {
    context.log.no_effect("calibrate_batch_norms", "there is no batch norm left in this network");
  }
}

passes::BiasCorrection correct_biases(QuantizedNetwork& network, const QuantizeConfig& config,
                                      const passes::OriginalWeights& originals,
                                      const data::ImageSet& images, const Context& context) {
  passes::BiasCorrectionOptions options;
  options.input_quantizers = config.backend == Backend::kLayerwise
                                 ? passes::InputQuantizers::kLayer
                                 : passes::InputQuantizers::kGraph;
  options.execution = context.execution;
  options.original_weights = originals;
  const auto measure = [&] {
    int64_t done = 0;
    return passes::mean_layer_inputs(network, options,
                                     batches_of(images, "bias correction", context, done));
  };
  const auto kept_or_measured = [&] {
    if (auto kept = kept_means(config, images, context)) return *std::move(kept);
    passes::LayerInputMeans means = measure();
    keep_means(means, config, images, context);
    return means;
  };
  const auto report = timed(context.log, "bias correction", [&] {
    // Calibrating batch norms makes what layers read depend on the weights' quantizers, and so do
    // rounded weights that stand for the float ones, and scales that were learned with them.
    const bool is_own =
        config.calibrate_batch_norms || forgets_weights(config) || learns_scales(config);
    const passes::LayerInputMeans means =
        is_own ? measure()
               : shared(context.session, context.log, context.session.stages().input_means,
                        calibrated_key(context.source, config), kept_or_measured);
    return passes::correct_biases(network, options, means);
  });
  context.log.line("correct-biases: " + std::to_string(report.layers) + " layers, " +
                   std::to_string(report.created) +
                   " of them without a bias before, mean |shift| " +
                   significant(report.mean_shift));
  return report;
}

}  // namespace ptq::workflow
