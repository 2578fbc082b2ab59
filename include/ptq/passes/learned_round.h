#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptq/passes/calibrate.h"
#include "ptq/quant/quantized_network.h"

/// Learned rounding (AdaRound, https://arxiv.org/abs/2004.10568) and block reconstruction (BRECQ,
/// https://arxiv.org/abs/2102.05426; QDrop, https://arxiv.org/abs/2203.05740).
namespace ptq::passes {

/// What a rounding variable v makes of a weight (reference-contract 6.12).
enum class RoundingFunction { kLinear, kHardSigmoid, kSigmoid };
enum class RoundingLoss { kRegularisedMse, kMse };
enum class RoundingOptimizer { kAdam, kSignSgd };
enum class LearningRate { kConstant, kLinear };
/// What is reconstructed at a time.
enum class RoundingScope { kLayer, kBlock };

/// How the channels of a block's output add up to its error. kAbsolute: as they are. kRelative:
/// each as a part of its own mean square in the float network, times the harmonic mean of all of
/// these. One channel far larger than the others, as residual streams of transformers have them,
/// would otherwise be all that a block learns.
enum class ChannelError { kAbsolute, kRelative };

/// kRequired: a name that finds nothing is an error. kWhereFound: blocks then follow from the
/// structure of the graph.
enum class BlocksByName { kRequired, kWhereFound };

struct LearnedRoundOptions {
  RoundingFunction function = RoundingFunction::kHardSigmoid;
  RoundingLoss loss = RoundingLoss::kRegularisedMse;
  RoundingOptimizer optimizer = RoundingOptimizer::kAdam;
  LearningRate schedule = LearningRate::kConstant;
  RoundingScope scope = RoundingScope::kLayer;
  /// Modules that make a block, by a regular expression for their own names; where empty, blocks
  /// follow from the structure of the graph.
  std::optional<std::string> block_name;
  /// What to do where `block_name` finds nothing.
  BlocksByName blocks_by_name = BlocksByName::kRequired;
  double learning_rate = 1e-3;
  int64_t iterations = 1000;
  /// Images a step, drawn from the whole calibration set; all of them where empty.
  std::optional<int64_t> batch_size = 1;
  /// Probability with which an element of a quantized activation keeps its float value while a
  /// block learns; of the block's input too.
  double drop_activations = 0;
  /// By block: learning rate of the scales of its activation quantizers (LSQ,
  /// https://arxiv.org/abs/1902.08153, as in BRECQ and QDrop), a part of the scale a step, by Adam;
  /// 0 leaves them. Scales of any value, per tensor, that no quantizer outside the block shares,
  /// and none so small that biases are cut off; a block whose values do not all have their images
  /// first, or are not all floats, keeps its scales.
  double activation_learning_rate = 0;
  ChannelError channel_error = ChannelError::kAbsolute;
  /// By layer: whether a bias makes up for the mean of its error before the next one is learned.
  /// The roundings then have to make up for the rest alone.
  bool correct_biases = false;
  /// With all images per step, by layer: this much of each input's mean square, times the squared
  /// change of its weights, counts as error too. The calibration images are few, and a change that
  /// makes up for them alone does harm to others.
  double damping = 0;
  uint64_t seed = 0;
  int threads = 1;
  /// Bytes of activations the sweep holds in memory.
  int64_t memory_bytes = int64_t{4} << 30;
  /// Called after each unit with how many of them are done.
  std::function<void(const struct RoundedUnit&, size_t done, size_t all)> on_unit;
};

/// A layer or block whose rounding was learned. Errors are mean squares of the difference between
/// its output and the float network's, over the calibration images, with weights rounded to nearest
/// and as learned; they leave out what dropping does. A block's channels count as `channel_error`
/// says.
struct RoundedUnit {
  std::string name;
  int layers = 0;
  double error_before = 0;
  double error_after = 0;
  /// Share of weights that do not have the nearest code.
  double moved = 0;
};

struct LearnedRoundReport {
  /// In execution order.
  std::vector<RoundedUnit> units;
  /// By layer: its weight as it was.
  std::unordered_map<std::string, at::Tensor> original_weights;
};

/// Learns whether each weight is rounded up or down so that layers, or blocks, give what they give
/// in the float network; zero points stay, and so do scales, but for those that
/// activation_learning_rate moves. Inputs come from the quantized network as it is by then, targets
/// from the float one. Weights become numbers that their quantizer gives back unchanged. Where
/// learning ended with a larger error than rounding to nearest has, nearest stays, and scales stay.
///
/// Differences to reference-contract 6.12: no scheduler means a constant learning rate; images are
/// drawn from the whole calibration set; the regulariser's schedule follows the number of
/// iterations; plain sigmoid begins at the nearest code too; the channels of a Linear's output are
/// its last dimension; blocks come with any placement of quantizers and any preparation. With all
/// images per step, a layer's gradient follows from the moments of its inputs, exactly.
///
/// Throws ConfigError if `block_name` is not a regular expression, finds nothing or finds what is
/// not a block; QuantizationError naming a layer whose weights are minifloats; what runtime::sweep
/// throws.
LearnedRoundReport learn_rounding(QuantizedNetwork& network, const LearnedRoundOptions& options,
                                  const NextBatch& next_batch);

}  // namespace ptq::passes
