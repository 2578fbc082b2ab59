#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ptq/backends/placement.h"
#include "ptq/data/recipe.h"
#include "ptq/passes/equalize.h"
#include "ptq/passes/learned_round.h"
#include "ptq/passes/round_weights.h"
#include "ptq/passes/split_channels.h"

/// What quantizing does, in types. The defaults are the reference's.
namespace ptq {

using backends::Backend;
using backends::LayerOverride;
using backends::ResidualAdds;
using passes::AccumulatorOptions;
using quant::Calibration;
using quant::Granularity;
using quant::ScaleType;
using quant::Symmetry;
using quant::Timing;
using LearnedRound = passes::LearnedRoundOptions;

/// kMinifloat: every code is a number. kOcpMinifloat: with the codes for NaN and infinity of the
/// Open Compute Project's formats.
enum class NumberKind { kInteger, kMinifloat, kOcpMinifloat };

/// How large a number is: `bit_width` of an integer, 2 to 16; the other two of a minifloat, 0 to 6.
struct NumberSize {
  int bit_width = 8;
  int mantissa_bit_width = 4;
  int exponent_bit_width = 3;
};

struct WeightConfig {
  /// As in NumberSize.
  int bit_width = 8;
  int mantissa_bit_width = 4;
  int exponent_bit_width = 3;
  Symmetry symmetry = Symmetry::kSymmetric;
  Granularity granularity = Granularity::kPerTensor;
  Calibration calibration = Calibration::kStatistics;
  /// Without the most negative code of an integer.
  bool narrow_range = false;
};

struct ActivationConfig {
  /// As in NumberSize.
  int bit_width = 8;
  int mantissa_bit_width = 4;
  int exponent_bit_width = 3;
  Symmetry symmetry = Symmetry::kSymmetric;
  /// kPerTensor or kPerGroup.
  Granularity granularity = Granularity::kPerTensor;
  Calibration calibration = Calibration::kStatistics;
  Timing timing = Timing::kStatic;
  /// Percentile of |x| that an activation must hold, in (0, 100].
  double percentile = 99.999;
  /// Unsigned codes where values are never negative.
  bool unsigned_values = true;
};

/// Cross-layer equalization of weights (passes/equalize.h); off with no iterations.
struct GraphEqualization {
  int iterations = 20;
  bool merge_bias = true;
};

/// Channels that are split in two (passes/split_channels.h); off with ratio 0.
struct ChannelSplitting {
  double ratio = 0;
  passes::Side side = passes::Side::kOutput;
};

/// Ranges of activations that move into weights (passes/equalize.h).
struct ActivationEqualization {
  passes::ActivationEqualization mode = passes::ActivationEqualization::kGraph;
  double alpha = 0.5;
};

/// Part of the calibration images that judge what a rounding technique does to each layer.
inline constexpr double kHeldOut = 0.2;

/// Codes chosen from a layer's inputs instead of the nearest (passes/round_weights.h).
struct Gptq {
  /// Columns with large inputs first.
  bool act_order = false;
  bool quantize_activations = false;
  std::optional<AccumulatorOptions> accumulator = {};
  /// Whether bias correction compares with the weights as they were before.
  bool keep_original_weights = true;
  double held_out = kHeldOut;
};
struct Gpfq {
  bool act_order = false;
  /// Part of a layer's inputs that is looked at.
  double input_fraction = 1;
  std::optional<AccumulatorOptions> accumulator = {};
  double held_out = kHeldOut;
};
struct Qronos {
  bool act_order = false;
  double damping = 1e-6;
  double held_out = kHeldOut;
};

/// Rounding techniques in the order in which they run; none rounds to the nearest code.
class Rounding {
 public:
  using Technique = std::variant<Gpfq, Gptq, Qronos>;

  Rounding() = default;
  Rounding(Gptq technique) : techniques_{technique} {}
  Rounding(Gpfq technique) : techniques_{technique} {}
  Rounding(Qronos technique) : techniques_{technique} {}
  Rounding& then(Technique technique) {
    techniques_.push_back(technique);
    return *this;
  }

  const std::vector<Technique>& techniques() const { return techniques_; }
  bool is_none() const { return techniques_.empty(); }

 private:
  std::vector<Technique> techniques_;
};

/// What becomes of ReLU6: ReLU, as in the reference, or it stays. kAuto: it stays where ReLU in its
/// place would change the float network on calibration images by more than rounding, and where
/// there are no images.
enum class Relu6Rule { kAuto, kRelu, kKeep };

struct QuantizeConfig {
  /// Where quantizers stand.
  Backend backend = Backend::kFx;
  NumberKind numbers = NumberKind::kInteger;
  ScaleType scale_type = ScaleType::kFloat;
  WeightConfig weights;
  /// None: weights alone are quantized, biases are not.
  std::optional<ActivationConfig> activations = ActivationConfig{};
  /// 32, 16, or none: biases stay float.
  std::optional<int> bias_bit_width = 32;
  /// Backend::kLayerwise: of the first and the last layer.
  NumberSize first_last;
  /// Values along the input channels that share a scale of Granularity::kPerGroup.
  int64_t group_size = 32;
  /// Other bit widths for layers by name.
  std::vector<LayerOverride> layer_bits;
  ResidualAdds residual_adds = ResidualAdds::kQuantized;

  /// Backend::kFlexml merges whatever this says, unless `calibrate_batch_norms` is on.
  bool merge_batch_norms = true;
  Relu6Rule relu6 = Relu6Rule::kAuto;
  GraphEqualization equalization;
  ChannelSplitting splitting;
  std::optional<ActivationEqualization> activation_equalization;
  Rounding rounding;
  /// Its seed, threads, memory and bias correction are those of the rest of the configuration.
  std::optional<LearnedRound> learned_round;
  bool calibrate_batch_norms = false;
  bool correct_biases = true;
  /// Views of calibration images that roundings are learned on besides the images, never scales by
  /// calibration. Its seed is that of the rest of the configuration.
  data::Augmentation augmentation;

  /// A file of write_quantizers (ptq/quantize.h) whose scales and zero points take the place of
  /// calibration; empty: they are calibrated.
  std::string quantizers_file;

  /// Of everything random.
  uint64_t seed = 123456;
  /// A network defined by hand (models/hand_defined.h), in place of backend and preparation.
  std::string hand_defined;
};

/// Whether quantizing looks at images: not for weights alone, or dynamic scales, without
/// techniques.
bool needs_images(const QuantizeConfig& config);
/// Whether activations have scales that images decide: not where a file has them.
bool calibrates_activations(const QuantizeConfig& config);

/// Throws InvalidOption for values out of their range and for options that do not go together.
void check(const QuantizeConfig& config);

}  // namespace ptq
