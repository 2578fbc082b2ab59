#include "options/config/quantize_settings.h"

namespace ptq::options {

std::optional<LearnedRound> learned_round_config(const Settings& settings) {
  if (settings.is_none("learned-round")) return std::nullopt;
  LearnedRound options;
  options.function = settings.choice<passes::RoundingFunction>("learned-round");
  options.loss = settings.choice<passes::RoundingLoss>("learned-round-loss");
  options.optimizer = settings.choice<passes::RoundingOptimizer>("optimizer");
  options.schedule = settings.is_none("learned-round-lr-scheduler")
                         ? passes::LearningRate::kConstant
                         : settings.choice<passes::LearningRate>("learned-round-lr-scheduler");
  options.scope = settings.choice<passes::RoundingScope>("learned-round-mode");
  options.block_name = settings.text_or_none("learned-round-block-name");
  options.blocks_by_name = settings.given("learned-round-block-name")
                               ? passes::BlocksByName::kRequired
                               : passes::BlocksByName::kWhereFound;
  options.learning_rate = settings.number("learned-round-lr");
  options.iterations = settings.integer("learned-round-iters");
  options.batch_size = settings.integer_or_none("learned-round-batch-size");
  options.damping = settings.number("learned-round-damping");
  options.channel_error = settings.choice<passes::ChannelError>("learned-round-channel-error");
  options.drop_activations = settings.number("drop-activations");
  options.activation_learning_rate = settings.number("learned-round-act-lr");
  return options;
}

}  // namespace ptq::options
