#include "cli/stages/quantize_stage.h"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/environment.h"
#include "base/hash.h"
#include "cli/stages/node_noise_stage.h"
#include "quant/network_key.h"
#include "workflow/quantization.h"
#include "workflow/shared_stages.h"

namespace ptq::cli {
namespace {

/// What the run will decide, so that networks made aside need not ask again.
Relu6Rule settled_relu6(Run& run, const ir::Graph& graph, ImageSets& images) {
  ProgressOnly progress(run.log);
  RecordingLog log(progress);
  workflow::Session nothing;
  const workflow::Context context{run.config.execution, log, nothing};
  const auto choice =
      workflow::choose_relu6(graph, run.config.quantize, images.calibration(), context);
  if (!choice) return run.config.quantize.relu6;
  return choice->becomes == passes::Relu6::kKeep ? Relu6Rule::kKeep : Relu6Rule::kRelu;
}

/// Rows for the network with the first techniques alone, none of them to begin with; returns the
/// name of the row for all of them, empty for that of the last stage.
std::string attribute_early_techniques(Run& run, const ir::Graph& graph, ImageSets& images,
                                       Attribution& attribution) {
  std::string stage;
  if (!attribution.is_on()) return stage;
  const auto techniques = workflow::early_techniques(run.config.quantize);
  const Relu6Rule relu6 = settled_relu6(run, graph, images);
  for (size_t count = 0; count < techniques.size(); ++count) {
    QuantizeConfig config = run.config.quantize;
    config.relu6 = relu6;
    for (size_t i = count; i < techniques.size(); ++i) techniques[i].turn_off(config);
    ProgressOnly progress(run.log);
    RecordingLog log(progress);
    workflow::Session nothing;
    workflow::Context context{run.config.execution, log, nothing};
    context.network_name = run.config.model_file;
    context.until = workflow::Until::kCalibrated;
    const auto made = workflow::quantize(graph, config, images.calibration(), context);
    if (stage.empty()) stage = calibrates_activations(config) ? "calibration" : "placement";
    attribution.row(stage, made.network);
    stage = techniques[count].name;
  }
  return stage;
}

/// What calibration follows from, by contents; nothing without a cache.
workflow::Source contents_of(const Run& run, const ir::Graph& imported, const ImageSets& images) {
  const options::Config& config = run.config;
  const runtime::Execution& execution = config.execution;
  const bool is_on = run.session.stages().cache != nullptr && execution.device.is_cpu() &&
                     needs_images(config.quantize);
  const std::string pictures = is_on ? images.calibration().loader().content_key() : "";
  if (pictures.empty()) return {};
  std::ostringstream run_as;
  run_as << execution.dtype << ' ' << execution.compile << ' ' << execution.threads << ' ';
  std::ostringstream seen_as;
  seen_as << std::hexfloat << config.batch_size_calibration;
  for (const auto& colours : {config.recipe.mean, config.recipe.std}) {
    for (const float each : colours) seen_as << ' ' << each;
  }
  return {run_as.str() + quant::network_key({imported, {}}) + sha256(float_environment()),
          pictures + ' ' + seen_as.str()};
}

}  // namespace

QuantizedNetwork quantize_model(Run& run, const ir::Graph& imported, ImageSets& images,
                                Attribution& attribution) {
  const options::Config& config = run.config;
  std::string first = attribute_early_techniques(run, imported, images, attribution);
  workflow::Context context{config.execution, run.log, run.session, source_of(config)};
  context.contents = contents_of(run, imported, images);
  context.network_name = config.model_file;
  context.explain = config.explain ? workflow::Explain::kYes : workflow::Explain::kNo;
  context.after_stage = [&](const std::string& stage, const QuantizedNetwork& network) {
    attribution.row(first.empty() ? stage : std::exchange(first, ""), network);
  };
  workflow::Quantization made =
      workflow::quantize(imported, config.quantize, images.calibration(), context);
  run.result.calibration_count = made.calibration_count;
  run.result.techniques = std::move(made.techniques);
  measure_node_noise(run, made.placed, made.network, images);
  return std::move(made.network);
}

}  // namespace ptq::cli
