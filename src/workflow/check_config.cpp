#include <string>

#include "base/text.h"
#include "ptq/base/invalid_option.h"
#include "ptq/quantize_config.h"

namespace ptq {
namespace {

void require(bool good, const std::string& field, const std::string& reason) {
  if (!good) throw InvalidOption(field, reason);
}

void require_between(double value, double low, double high, const std::string& field) {
  require(value >= low && value <= high, field,
          "must lie between " + significant(low) + " and " + significant(high));
}

template <class Size>
void check_size(const Size& size, NumberKind kind, const std::string& owner) {
  if (kind == NumberKind::kInteger) {
    return require_between(size.bit_width, 2, 16, owner + ".bit_width");
  }
  require_between(size.mantissa_bit_width, 0, 6, owner + ".mantissa_bit_width");
  require_between(size.exponent_bit_width, 0, 6, owner + ".exponent_bit_width");
}

void check_weights(const QuantizeConfig& config) {
  const WeightConfig& weights = config.weights;
  check_size(weights, config.numbers, "weights");
  const bool in_groups = weights.granularity == Granularity::kPerGroup;
  const bool is_hqo = weights.calibration == Calibration::kHqo;
  const bool power_of_two = config.scale_type == ScaleType::kPowerOfTwo;
  if (config.numbers != NumberKind::kInteger) {
    require(weights.symmetry == Symmetry::kSymmetric, "weights.symmetry",
            "minifloats have a sign and no zero point");
    require(!is_hqo, "weights.calibration", "half-quadratic optimization is defined for integers");
    require(!power_of_two || in_groups, "scale_type",
            "minifloats can have power-of-two scales only in groups");
  }
  require(!(is_hqo && power_of_two), "weights.calibration",
          "half-quadratic optimization needs scales of any value");
  require(!(is_hqo && in_groups), "weights.calibration",
          "half-quadratic optimization works per tensor or per channel");
  require(!power_of_two || in_groups || weights.symmetry == Symmetry::kSymmetric,
          "weights.symmetry", "asymmetric weights can have power-of-two scales only in groups");
}

void check_groups(const QuantizeConfig& config, const ActivationConfig& activations) {
  const std::string field = "activations.granularity";
  require(activations.granularity != Granularity::kPerChannel, field,
          "activations share a scale per tensor or per group");
  if (activations.granularity != Granularity::kPerGroup) return;
  require(activations.timing == Timing::kDynamic, field,
          "scales of activation groups are computed for every input");
  require(config.scale_type == ScaleType::kPowerOfTwo, field,
          "scales of activation groups are powers of two");
  require(activations.symmetry == Symmetry::kSymmetric, field, "activation groups are symmetric");
}

void check_activations(const QuantizeConfig& config, const ActivationConfig& activations) {
  check_size(activations, config.numbers, "activations");
  require(activations.percentile > 0 && activations.percentile <= 100, "activations.percentile",
          "must be above 0 and at most 100");
  require(activations.calibration != Calibration::kHqo, "activations.calibration",
          "half-quadratic optimization is for weights");
  check_groups(config, activations);
  const bool in_groups = activations.granularity == Granularity::kPerGroup;
  if (config.numbers != NumberKind::kInteger) {
    require(activations.symmetry == Symmetry::kSymmetric, "activations.symmetry",
            "minifloats have a sign and no zero point");
    require(in_groups || config.scale_type != ScaleType::kPowerOfTwo, "scale_type",
            "minifloats can have power-of-two scales only in groups");
  }
  if (activations.timing != Timing::kDynamic) return;
  require(activations.calibration == Calibration::kStatistics, "activations.calibration",
          "an MSE search for every input is not supported");
  const bool is_float_integer =
      config.numbers == NumberKind::kInteger && config.scale_type == ScaleType::kFloat;
  require(in_groups || is_float_integer, "activations.timing",
          "dynamic scales that are powers of two or of minifloats exist only for groups");
}

void check_bias(const QuantizeConfig& config) {
  if (!config.bias_bit_width || !config.activations) return;
  require(*config.bias_bit_width == 16 || *config.bias_bit_width == 32, "bias_bit_width",
          "must be 16, 32 or none");
  const bool has_one_scale = config.numbers == NumberKind::kInteger &&
                             config.weights.granularity != Granularity::kPerGroup &&
                             config.activations->granularity == Granularity::kPerTensor &&
                             config.activations->timing == Timing::kStatic;
  require(has_one_scale, "bias_bit_width",
          "a bias needs one scale of its input and of its weight: set it to none");
}

void check_accumulator(const QuantizeConfig& config,
                       const std::optional<AccumulatorOptions>& accumulator) {
  if (!accumulator) return;
  require_between(accumulator->bit_width, 3, 64, "rounding.accumulator.bit_width");
  require(config.activations && config.numbers == NumberKind::kInteger, "rounding.accumulator",
          "the bound follows from quantized integer inputs");
  require(config.weights.granularity == Granularity::kPerChannel, "rounding.accumulator",
          "each accumulator needs the scale of its output channel");
}

void check_held_out(double share) { require_between(share, 0, 0.5, "rounding.held_out"); }

void check_technique(const QuantizeConfig& config, const Gptq& gptq) {
  check_held_out(gptq.held_out);
  check_accumulator(config, gptq.accumulator);
  require(!gptq.accumulator || gptq.quantize_activations, "rounding.accumulator",
          "the bound follows from quantized inputs: set quantize_activations");
}
void check_technique(const QuantizeConfig& config, const Gpfq& gpfq) {
  check_held_out(gpfq.held_out);
  check_accumulator(config, gpfq.accumulator);
  require(gpfq.input_fraction > 0 && gpfq.input_fraction <= 1, "rounding.input_fraction",
          "must be above 0 and at most 1");
}
void check_technique(const QuantizeConfig& /*config*/, const Qronos& qronos) {
  check_held_out(qronos.held_out);
  require(qronos.damping > 0 && qronos.damping <= 1, "rounding.damping",
          "must be above 0 and at most 1");
}

void check_learned_scales(const QuantizeConfig& config) {
  const std::string field = "learned_round.activation_learning_rate";
  require_between(config.learned_round->activation_learning_rate, 0, 1, field);
  if (config.learned_round->activation_learning_rate == 0) return;
  require(config.learned_round->scope == passes::RoundingScope::kBlock, field,
          "only blocks have activation scales to learn");
  require(config.scale_type == ScaleType::kFloat, field, "powers of two leave no room to learn");
  require(!config.activations || config.activations->timing == Timing::kStatic, field,
          "scales that each image gives anew cannot be learned");
}

void check_techniques(const QuantizeConfig& config) {
  require_between(config.equalization.iterations, 0, 10000, "equalization.iterations");
  require_between(config.splitting.ratio, 0, 1, "splitting.ratio");
  require_between(static_cast<double>(config.group_size), 2, 4096, "group_size");
  if (config.activation_equalization) {
    require_between(config.activation_equalization->alpha, 0, 1, "activation_equalization.alpha");
  }
  for (const Rounding::Technique& technique : config.rounding.techniques()) {
    std::visit([&](const auto& chosen) { check_technique(config, chosen); }, technique);
  }
  data::check_augmentation(config.augmentation);
  if (!config.learned_round) {
    return require(config.augmentation.views == 0, "augmentation.views",
                   "only learned rounding sees views of images");
  }
  require(config.rounding.is_none(), "learned_round", "both would round the same weights");
  require(config.numbers == NumberKind::kInteger, "learned_round",
          "rounding can be learned only for integers");
  check_learned_scales(config);
}

}  // namespace

bool calibrates_activations(const QuantizeConfig& config) {
  return config.quantizers_file.empty() && config.activations &&
         config.activations->timing == Timing::kStatic;
}

bool needs_images(const QuantizeConfig& config) {
  return calibrates_activations(config) || config.correct_biases || config.calibrate_batch_norms ||
         config.activation_equalization.has_value() || !config.rounding.is_none() ||
         config.learned_round.has_value();
}

void check(const QuantizeConfig& config) {
  check_weights(config);
  if (config.activations) check_activations(config, *config.activations);
  check_bias(config);
  check_techniques(config);
  if (config.backend == Backend::kLayerwise) {
    check_size(config.first_last, config.numbers, "first_last");
  }
  require(config.hand_defined.empty() || config.activations, "activations",
          "this network is defined with quantized activations");
}

}  // namespace ptq
