#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "ir/clamp.h"
#include "models/hand_defined.h"
#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "ptq/base/invalid_option.h"
#include "ptq/passes/calibrate.h"
#include "quant/bias_range.h"
#include "quant/load_quantizers.h"
#include "workflow/technique_stages.h"

namespace ptq::workflow {
namespace {

/// Biases that would saturate have the scale of their weights raised.
void fit_biases(QuantizedNetwork& network, Log& log) {
  const ir::Index index(network.graph);
  for (const ir::Node& node : network.graph.nodes) {
    const quant::BiasRange before = quant::bias_range(index, node, network.table);
    const int64_t channels = quant::fit_weight_scale_to_bias(index, node, network.table);
    if (channels == 0) continue;
    log.warning(node.name + ": " + std::to_string(before.outside) + " of " +
                std::to_string(before.of) + " biases do not fit " +
                std::to_string(before.bit_width) +
                " bits beside so small weights; the weights of " + std::to_string(channels) +
                (channels == 1 ? " channel has a larger scale" : " channels have a larger scale"));
  }
}

using Images = std::optional<data::ImageSet>;

std::optional<Relu6Choice> chosen_relu6(const ir::Graph& imported, const QuantizeConfig& config,
                                        const Images& images, const Context& context) {
  return shared(context.session, context.log, context.session.stages().relu6,
                equalized_key(context.source, config),
                [&] { return choose_relu6(imported, config, images, context); });
}

// What is decided and measured depends on the images, as equalizing activations does.
PreparedGraph prepared(const ir::Graph& imported, const QuantizeConfig& config,
                       const std::optional<Relu6Choice>& relu6, const Images& images,
                       const Context& context) {
  return shared(context.session, context.log, context.session.stages().prepared,
                equalized_key(context.source, config), [&] {
                  FunctionWatch watch(images, context, imported);
                  return prepare(imported, config, relu6, watch, context);
                });
}

EqualizedGraph equalized(ir::Graph graph, const QuantizeConfig& config, const Images& images,
                         const Context& context) {
  return shared(context.session, context.log, context.session.stages().equalized,
                equalized_key(context.source, config),
                [&] { return equalize_activations(std::move(graph), config, images, context); });
}

QuantizedNetwork placed(ir::Graph graph, const QuantizeConfig& config, const Context& context) {
  QuantizedNetwork network = timed(context.log, "place", [&] {
    return backends::place(config.backend, std::move(graph), placement_options(config));
  });
  if (network.table.quantizers.empty()) {
    throw QuantizationError(context.network_name + " has no layer that can be quantized");
  }
  return network;
}

/// Scales and zero points, from a file or by calibration. Returns the number of images that were
/// calibrated on.
int64_t give_scales(QuantizedNetwork& network, const QuantizeConfig& config, const Images& images,
                    const Context& context) {
  const std::string& file = config.quantizers_file;
  if (!file.empty()) {
    int64_t count = 0;
    timed(context.log, "load quantizers", [&] { count = quant::load_quantizers(file, network); });
    context.log.line("load-quantizers: " + std::to_string(count) + " quantizers of " + file);
    return 0;
  }
  timed(context.log, "weight scales", [&] { passes::initialize_weight_scales(network); });
  return calibrate_activations(network, config, images, context);
}

/// Prepared and placed by a backend, or defined by hand where the configuration says so.
Quantization begun(const ir::Graph& imported, const QuantizeConfig& config, const Images& images,
                   const Context& context) {
  Quantization made;
  if (models::find_hand_defined(config.hand_defined) != nullptr) {
    made.network = timed(context.log, "define", [&] { return *defined_by_hand(imported, config); });
    FunctionWatch watch(images, context, imported);
    watch.note("define", made.network.graph);
    made.techniques.function = watch.rows();
  } else {
    made.techniques.relu6 = chosen_relu6(imported, config, images, context);
    PreparedGraph prepared_graph =
        prepared(imported, config, made.techniques.relu6, images, context);
    made.techniques.function = std::move(prepared_graph.function);
    made.techniques.passes = std::move(prepared_graph.passes);
    made.techniques.equalization = std::move(prepared_graph.equalization);
    made.techniques.splitting = std::move(prepared_graph.splitting);
    EqualizedGraph equalized_graph =
        equalized(std::move(prepared_graph.graph), config, images, context);
    for (FunctionRow& row : equalized_graph.function) {
      made.techniques.function.push_back(std::move(row));
    }
    made.techniques.activation_equalization = std::move(equalized_graph.report);
    made.network = placed(std::move(equalized_graph.graph), config, context);
  }
  made.calibration_count = give_scales(made.network, config, images, context);
  fit_biases(made.network, context.log);
  made.placed = made.network.graph;
  return made;
}

/// A technique that changes a placed and calibrated network.
struct LateTechnique {
  std::string name;
  std::function<void()> apply;
};

/// Those that were asked for, in the reference's order (reference-contract 1.1). `originals` are
/// the weights before techniques rounded them.
std::vector<LateTechnique> late_techniques(Quantization& made, const QuantizeConfig& config,
                                           passes::OriginalWeights& originals, const Images& images,
                                           const Context& context) {
  std::vector<LateTechnique> techniques;
  for (const Rounding::Technique& technique : config.rounding.techniques()) {
    techniques.push_back({name_of(technique), [&] {
                            made.techniques.rounding.push_back(round_weights(
                                made.network, technique, config, originals, *images, context));
                          }});
  }
  if (config.learned_round) {
    techniques.push_back({"learned-round", [&] {
                            auto report = learn_rounding(made.network, config, *images, context);
                            made.techniques.learned_round = std::move(report.units);
                            originals.merge(std::move(report.original_weights));
                          }});
  }
  if (config.calibrate_batch_norms) {
    techniques.push_back(
        {"calibrate-batch-norms", [&] { calibrate_batch_norms(made.network, *images, context); }});
  }
  if (config.correct_biases && !corrects_while_learning(config)) {
    techniques.push_back({"correct-biases", [&] {
                            made.techniques.bias_correction =
                                correct_biases(made.network, config, originals, *images, context);
                          }});
  }
  return techniques;
}

}  // namespace

bool corrects_while_learning(const QuantizeConfig& config) {
  return config.correct_biases && config.learned_round &&
         config.learned_round->scope == passes::RoundingScope::kLayer;
}

std::vector<EarlyTechnique> early_techniques(const QuantizeConfig& config) {
  if (!config.hand_defined.empty()) return {};
  const std::vector<EarlyTechnique> all = {
      {"equalize-graph", config.equalization.iterations > 0,
       [](QuantizeConfig& without) { without.equalization.iterations = 0; }},
      {"split-channels", config.splitting.ratio > 0,
       [](QuantizeConfig& without) { without.splitting.ratio = 0; }},
      {"equalize-activations", config.activation_equalization.has_value(),
       [](QuantizeConfig& without) { without.activation_equalization.reset(); }},
  };
  std::vector<EarlyTechnique> on;
  std::copy_if(all.begin(), all.end(), std::back_inserter(on),
               [](const EarlyTechnique& technique) { return technique.is_on; });
  return on;
}

Quantization quantize(const ir::Graph& imported, const QuantizeConfig& config,
                      const std::optional<data::ImageSet>& images, const Context& given) {
  check(config);
  Context context = given;
  context.source.has_clamps = context.contents.has_clamps =
      std::any_of(imported.nodes.begin(), imported.nodes.end(),
                  [](const ir::Node& node) { return ir::clamp_bounds(node.op).has_value(); });
  if (!images && needs_images(config)) {
    throw InvalidOption("activations", "what is asked for needs calibration images");
  }
  Quantization made = begun(imported, config, images, context);
  if (context.until == Until::kCalibrated) return made;
  const auto tell = [&](const std::string& stage) {
    if (context.after_stage) context.after_stage(stage, made.network);
  };
  tell(calibrates_activations(config) ? "calibration" : "placement");
  passes::OriginalWeights originals;
  for (const LateTechnique& technique : late_techniques(made, config, originals, images, context)) {
    technique.apply();
    tell(technique.name);
  }
  return made;
}

}  // namespace ptq::workflow
