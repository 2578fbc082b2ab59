#include "cli/stages/calibration_batches.h"
#include "cli/stages/rounding_stages.h"
#include "ptq/base/text.h"
#include "ptq/passes/learned_round.h"

namespace ptq::cli {

passes::OriginalWeights learn_rounding(Run& run, ir::Graph& graph,
                                       const quant::QuantizerTable& table, ImageSets& images) {
  if (!run.config.learned_round) return {};
  passes::LearnedRoundOptions options = *run.config.learned_round;
  options.seed = run.config.seed;
  options.threads = run.config.threads;
  options.memory_bytes = run.config.activation_memory_bytes;
  options.on_unit = [&](const passes::RoundedUnit& unit, size_t done, size_t all) {
    run.log.line("learned rounding " + std::to_string(done) + "/" + std::to_string(all) + " " +
                 unit.name + ": error " + significant(unit.error_before) + " -> " +
                 significant(unit.error_after) + ", " + significant(100 * unit.moved) +
                 " % of codes moved");
  };
  passes::LearnedRoundReport report =
      over_images(run, images, "learned rounding", [&](const passes::NextBatch& next) {
        return passes::learn_rounding(graph, table, options, next);
      });
  run.result.learned_round = std::move(report.units);
  return std::move(report.original_weights);
}

}  // namespace ptq::cli
