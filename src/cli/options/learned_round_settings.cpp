#include "cli/options/learned_round_settings.h"

namespace ptq::cli {
namespace {

passes::RoundingFunction function(const std::string& word) {
  if (word == "linear_round") return passes::RoundingFunction::kLinear;
  return word == "sigmoid_round" ? passes::RoundingFunction::kSigmoid
                                 : passes::RoundingFunction::kHardSigmoid;
}

}  // namespace

std::optional<passes::LearnedRoundOptions> learned_round_options(const Settings& settings) {
  if (settings.is_none("learned-round")) return std::nullopt;
  passes::LearnedRoundOptions options;
  options.function = function(settings.text("learned-round"));
  options.loss = settings.text("learned-round-loss") == "mse"
                     ? passes::RoundingLoss::kMse
                     : passes::RoundingLoss::kRegularisedMse;
  options.optimizer = settings.text("optimizer") == "sign_sgd" ? passes::RoundingOptimizer::kSignSgd
                                                               : passes::RoundingOptimizer::kAdam;
  options.schedule = settings.is_none("learned-round-lr-scheduler")
                         ? passes::LearningRate::kConstant
                         : passes::LearningRate::kLinear;
  options.scope = settings.text("learned-round-mode") == "blockwise"
                      ? passes::RoundingScope::kBlock
                      : passes::RoundingScope::kLayer;
  options.block_name = settings.text_or_none("learned-round-block-name");
  options.blocks_by_name = settings.given("learned-round-block-name")
                               ? passes::BlocksByName::kRequired
                               : passes::BlocksByName::kWhereFound;
  options.learning_rate = settings.number("learned-round-lr");
  options.iterations = settings.integer("learned-round-iters");
  options.batch_size = std::nullopt;
  if (!settings.is_none("learned-round-batch-size")) {
    options.batch_size = settings.integer("learned-round-batch-size");
  }
  options.correct_biases =
      settings.is_on("bias-corr") && options.scope == passes::RoundingScope::kLayer;
  options.damping = settings.number("learned-round-damping");
  options.channel_error = settings.text("learned-round-channel-error") == "relative"
                              ? passes::ChannelError::kRelative
                              : passes::ChannelError::kAbsolute;
  options.drop_activations = settings.number("drop-activations");
  return options;
}

}  // namespace ptq::cli
