#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.h"
#include "workflow/rounding_guard.h"
#include "workflow/technique_stages.h"

namespace ptq::workflow {
namespace {

/// Fewer images judge nothing: a batch of the sweep, as for layers.
constexpr double kFewestJudges = 8;

/// Signal to quantization noise.
std::string decibels(double error) {
  return error > 0 ? fixed(-10 * std::log10(error), 1) + " dB" : "exact";
}

std::string line_of(std::string_view technique, const passes::RoundedLayer& layer, int64_t done,
                    int64_t total) {
  return "  " + std::string(technique) + " " + std::to_string(done) + "/" + std::to_string(total) +
         " " + layer.name + ": SQNR " + decibels(layer.error_before) + " -> " +
         decibels(layer.error_after) + (layer.left.empty() ? "" : " (" + layer.left + ")");
}

/// The error of a typical layer.
double median_error(const std::vector<passes::RoundedLayer>& layers,
                    double passes::RoundedLayer::*error) {
  if (layers.empty()) return 0;
  std::vector<double> errors;
  for (const passes::RoundedLayer& layer : layers) errors.push_back(layer.*error);
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::nth_element(errors.begin(), middle, errors.end());
  return *middle;
}

/// Layers that a technique did not change, by reason.
void say_left(Log& log, const std::string& name, const std::vector<passes::RoundedLayer>& layers) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const passes::RoundedLayer& layer : layers) {
    if (!layer.left.empty()) by_reason[layer.left].push_back(layer.name);
  }
  for (const auto& [reason, names] : by_reason) {
    log.line("  " + name + ": " + reason + ": " + joined(names));
  }
}

void summarize(Log& log, const std::string& name, const std::vector<passes::RoundedLayer>& layers) {
  log.line(name + ": " + std::to_string(layers.size()) + " layers, median SQNR " +
           decibels(median_error(layers, &passes::RoundedLayer::error_before)) + " -> " +
           decibels(median_error(layers, &passes::RoundedLayer::error_after)));
  say_left(log, name, layers);
}

passes::RoundingOptions options_of(const Rounding::Technique& technique) {
  using passes::RoundingTechnique;
  passes::RoundingOptions options;
  std::visit(
      [&](const auto& chosen) {
        options.act_order = chosen.act_order;
        options.held_out = chosen.held_out;
      },
      technique);
  if (const auto* gptq = std::get_if<Gptq>(&technique)) {
    options.technique = RoundingTechnique::kGptq;
    options.quantize_activations = gptq->quantize_activations;
    options.accumulator = gptq->accumulator;
  } else if (const auto* gpfq = std::get_if<Gpfq>(&technique)) {
    options.technique = RoundingTechnique::kGpfq;
    options.input_fraction = gpfq->input_fraction;
    options.accumulator = gpfq->accumulator;
  } else {
    options.technique = RoundingTechnique::kQronos;
    options.qronos_damping = std::get<Qronos>(technique).damping;
  }
  return options;
}

/// What `round()` does to the network's weights, or did to the same ones before; none where it sees
/// quantizers of activations and biases, or nothing is shared.
template <class Round>
RoundingReport shared_rounding(QuantizedNetwork& network, const Rounding::Technique& technique,
                               const QuantizeConfig& config, const Context& context,
                               Round&& round) {
  const auto* gptq = std::get_if<Gptq>(&technique);
  SharedStages& stages = context.session.stages();
  if (gptq == nullptr || gptq->quantize_activations || stages.runs == Session::Runs::kOne) {
    return round();
  }
  const std::string key = rounded_key(context.source, config, *gptq, network);
  RoundedWeights made = shared(context.session, context.log, stages.rounded, key, [&] {
    RoundingReport report = round();
    return RoundedWeights{std::move(report), passes::weights_of(network.graph)};
  });
  passes::set_weights(network.graph, made.weights);
  return std::move(made.report);
}

/// For techniques whose layers make up for the ones before them; where layers are judged, too.
std::optional<RoundingGuard> guard_of(const passes::RoundingOptions& options,
                                      const data::ImageSet& images) {
  const bool judges = options.technique != passes::RoundingTechnique::kGptq &&
                      options.held_out > 0 && !options.accumulator && options.input_fraction >= 1;
  const double aside = options.held_out * static_cast<double>(images.size());
  if (!judges || aside < kFewestJudges) return std::nullopt;
  return RoundingGuard(options.held_out);
}

bool keeps_original_weights(const Rounding::Technique& technique) {
  const auto* gptq = std::get_if<Gptq>(&technique);
  return gptq == nullptr || gptq->keep_original_weights;
}

}  // namespace

std::string name_of(const Rounding::Technique& technique) {
  if (std::holds_alternative<Gptq>(technique)) return "gptq";
  return std::holds_alternative<Gpfq>(technique) ? "gpfq" : "qronos";
}

RoundingReport round_weights(QuantizedNetwork& network, const Rounding::Technique& technique,
                             const QuantizeConfig& config, passes::OriginalWeights& originals,
                             const data::ImageSet& images, const Context& context) {
  const std::string name = name_of(technique);
  passes::RoundingOptions options = options_of(technique);
  options.threads = context.execution.threads;
  options.memory_bytes = context.execution.activation_memory;
  if (keeps_original_weights(technique)) originals.merge(passes::weights_of(network.graph));
  options.on_layer = [&](const passes::RoundedLayer& layer, int64_t done, int64_t total) {
    context.log.line(line_of(name, layer, done, total));
  };
  std::optional<RoundingGuard> guard = guard_of(options, images);
  const auto rounded = [&] {
    const Context on_cpu = on_the_cpu(context, name);
    auto layers = over_images(images, name, on_cpu, [&](const passes::NextBatch& next) {
      return passes::round_weights(network, options, originals,
                                   guard ? guard->rest_of(next) : next);
    });
    return RoundingReport{name, std::move(layers)};
  };
  const passes::OriginalWeights before = passes::weights_of(network.graph);
  RoundingReport report = shared_rounding(network, technique, config, context, rounded);
  if (guard) {
    timed(context.log, "rounding check",
          [&] { guard->judge(network, before, originals, report, context); });
  }
  summarize(context.log, name, report.layers);
  return report;
}

}  // namespace ptq::workflow
