#include "cli/stages/guarding.h"

#include "ptq/data/normalize.h"
#include "ptq/eval/guards.h"

namespace ptq::cli {
namespace {

/// Enough for a living layer to tell one from another.
constexpr int64_t kProbes = 4;

void speak(Run& run, const std::vector<std::string>& sentences) {
  for (const std::string& sentence : sentences) {
    run.log.warning(sentence);
    run.result.guards.push_back(sentence);
  }
}

std::optional<eval::ConstantLayer> constant_layer(Run& run, const ir::Graph& graph,
                                                  const quant::QuantizerTable& table,
                                                  data::Loader& images) {
  images.start(kProbes);
  const std::optional<data::Batch> batch = images.next();
  if (!batch) return std::nullopt;
  const at::Tensor pixels = data::normalize(batch->pixels, run.config.recipe);
  return eval::constant_layer(graph, table, pixels.to(run.config.device),
                              {run.config.compile, run.config.dtype});
}

}  // namespace

void guard_network(Run& run, const ir::Graph& graph, const quant::QuantizerTable& table,
                   ImageSets& images) {
  speak(run, eval::suspicions_of_scales(graph, table));
  speak(run, eval::suspicions_of_layers(constant_layer(run, graph, table, images.validation())));
}

void guard_answers(Run& run) {
  const RunResult& result = run.result;
  if (result.float_evaluation) speak(run, eval::suspicions("float", *result.float_evaluation));
  speak(run, eval::suspicions("quantized", result.quantized));
  if (result.float_evaluation) {
    speak(run, eval::suspicions_of_pair(*result.float_evaluation, result.quantized));
  }
}

}  // namespace ptq::cli
