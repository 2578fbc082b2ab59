#include <utility>

#include "base/text.h"
#include "ptq/passes/learned_round.h"
#include "workflow/technique_stages.h"

namespace ptq::workflow {

passes::LearnedRoundReport learn_rounding(QuantizedNetwork& network, const QuantizeConfig& config,
                                          const data::ImageSet& images, const Context& context) {
  passes::LearnedRoundOptions options = *config.learned_round;
  options.correct_biases = corrects_while_learning(config);
  options.seed = config.seed;
  options.threads = context.execution.threads;
  options.memory_bytes = context.execution.activation_memory;
  options.on_unit = [&](const passes::RoundedUnit& unit, size_t done, size_t all) {
    context.log.line("learned rounding " + std::to_string(done) + "/" + std::to_string(all) + " " +
                     unit.name + ": error " + significant(unit.error_before) + " -> " +
                     significant(unit.error_after) + ", " + significant(100 * unit.moved) +
                     " % of codes moved");
  };
  data::Augmentation augmentation = config.augmentation;
  augmentation.seed = config.seed;
  const data::ImageSet shown = images.with_views(augmentation);
  const Context on_cpu = on_the_cpu(context, "learned rounding");
  return over_images(shown, "learned rounding", on_cpu, [&](const passes::NextBatch& next) {
    return passes::learn_rounding(network, options, next);
  });
}

}  // namespace ptq::workflow
