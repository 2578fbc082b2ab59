#include "cli/stages/rounding_stages.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/stages/calibration_batches.h"

namespace ptq::cli {
namespace {

/// Signal to quantization noise.
std::string decibels(double error) {
  if (!(error > 0)) return "exact";
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f dB", -10 * std::log10(error));
  return text;
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

void summarize(Run& run, const std::string& name, const std::vector<passes::RoundedLayer>& layers) {
  run.log.line(name + ": " + std::to_string(layers.size()) + " layers, median SQNR " +
               decibels(median_error(layers, &passes::RoundedLayer::error_before)) + " -> " +
               decibels(median_error(layers, &passes::RoundedLayer::error_after)));
}

}  // namespace

std::string_view name_of(passes::RoundingTechnique technique) {
  switch (technique) {
    case passes::RoundingTechnique::kGptq:
      return "gptq";
    case passes::RoundingTechnique::kGpfq:
      return "gpfq";
    default:
      return "qronos";
  }
}

void round_weights(Run& run, ir::Graph& graph, const quant::QuantizerTable& table,
                   passes::RoundingOptions options, passes::OriginalWeights& originals,
                   ImageSets& images) {
  const std::string name(name_of(options.technique));
  const bool keeps =
      options.technique != passes::RoundingTechnique::kGptq || run.config.keep_original_weights;
  if (keeps) originals.merge(passes::weights_of(graph));
  options.on_layer = [&](const passes::RoundedLayer& layer, int64_t done, int64_t total) {
    run.log.line(line_of(name, layer, done, total));
  };
  auto layers = over_images(run, images, name, [&](const passes::NextBatch& next) {
    return passes::round_weights(graph, table, options, originals, next);
  });
  summarize(run, name, layers);
  run.result.rounding.push_back({name, std::move(layers)});
}

}  // namespace ptq::cli
