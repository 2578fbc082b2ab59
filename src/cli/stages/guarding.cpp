#include "cli/stages/guarding.h"

#include "eval/exact_operands.h"
#include "eval/float_weights.h"
#include "eval/guards.h"
#include "eval/shared_scales.h"
#include "workflow/technique_words.h"

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

/// An uneven add or concat is no sign that a result is broken: an option helps.
void guard_values(Run& run, const QuantizedNetwork& network, const data::ImageSet& images) {
  const runtime::Execution& execution = run.config.execution;
  const auto probes = data::Batches(images.in_batches_of(kProbes), execution.device).next();
  if (!probes) return;
  const auto joins = eval::uneven_joins(network, *probes, execution);
  for (const std::string& sentence : eval::words(joins)) run.log.warning(sentence);
  speak(run, eval::suspicions_of_layers(eval::constant_layer(network, *probes, execution)));
}

/// What stays in float is said; a network that mostly does is no quantized network.
void guard_weights(Run& run, const ir::Graph& graph) {
  const eval::FloatWeights weights = eval::float_weights(graph);
  run.result.float_weights = weights;
  if (weights.count == 0) return;
  if (eval::is_mostly_float(weights)) return speak(run, {eval::words(weights)});
  run.log.warning(eval::words(weights));
  if (!run.config.explain) return;
  for (const std::string& line : eval::explanation(weights)) run.log.line(line);
}

/// Warned of already, and no sign that a result is broken: only --strict minds.
void guard_function(Run& run) {
  if (!run.config.gate.strict) return;
  for (const workflow::FunctionRow& row : run.result.techniques.function) {
    if (!row.change.is_rounding()) run.result.guards.push_back(workflow::function_warning(row));
  }
}

}  // namespace

void guard_network(Run& run, const QuantizedNetwork& network, ImageSets& images) {
  guard_function(run);
  speak(run, eval::suspicions_of_scales(network));
  speak(run, eval::suspicions_of_biases(network));
  guard_weights(run, network.graph);
  for (const std::string& line : eval::exact_operands(network.graph)) run.log.line(line);
  guard_values(run, network, images.validation());
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
