#include "options/combinations/rule_conditions.h"

namespace ptq::options {
namespace {

constexpr std::string_view kBiasScale =
    "a bias is quantized with the product of one input scale and the weight scale, "
    "and there is no single input or weight scale here: add --bias-bit-width None";

std::vector<Rule> weight_rules() {
  return {
      {{kMinifloat, is("weight-quant-type", {"asym"})}, "minifloats have a sign and no zero point"},
      {{kMinifloat, is("weight-quant-calibration-type", {"hqo"})},
       "half-quadratic optimization is defined for integers"},
      {{kPowersOfTwo, is("weight-quant-calibration-type", {"hqo"})},
       "half-quadratic optimization needs scales of any value"},
      {{kWeightGroups, is("weight-quant-calibration-type", {"hqo"})},
       "half-quadratic optimization works per tensor or per channel"},
      {{kPowersOfTwo, is("weight-quant-type", {"asym"}),
        is_not("weight-quant-granularity", {"per_group"})},
       "asymmetric weights can have power-of-two scales only in groups: add "
       "--weight-quant-granularity per_group"},
      {{kMinifloat, kPowersOfTwo, is_not("weight-quant-granularity", {"per_group"})},
       "minifloats can have power-of-two scales only in groups: add "
       "--weight-quant-granularity per_group"},
      {{another("layer-bits"), kMinifloat},
       "a bit width does not say how a minifloat splits into exponent and mantissa"},
      {{another("merge-bn"), is("target-backend", {"flexml"})}, "flexml always merges batch norms"},
  };
}

std::vector<Rule> activation_rules() {
  return {
      {{kMinifloat, is("act-quant-type", {"asym"})}, "minifloats have a sign and no zero point"},
      {{kActGroups, is("act-scale-computation-type", {"static"})},
       "scales of activation groups are computed for every input: add "
       "--act-scale-computation-type dynamic"},
      {{kActGroups, is("scale-factor-type", {"float_scale"})},
       "scales of activation groups are powers of two: add --scale-factor-type po2_scale"},
      {{kActGroups, is("act-quant-type", {"asym"})}, "activation groups are symmetric"},
      {{kDynamic, is("act-quant-calibration-type", {"mse"})},
       "an MSE search for every input is not supported"},
      {{kDynamic, kPowersOfTwo, is("act-quant-granularity", {"per_tensor"})},
       "dynamic power-of-two scales exist only for groups: add --act-quant-granularity "
       "per_group"},
      {{kDynamic, kMinifloat, is("act-quant-granularity", {"per_tensor"})},
       "dynamic minifloats exist only in groups: add --act-quant-granularity per_group "
       "and --scale-factor-type po2_scale"},
      {{kMinifloat, kPowersOfTwo, is("act-quant-granularity", {"per_tensor"}),
        is_not("act-bit-width", {"0", "None"})},
       "minifloats can have power-of-two scales only in groups: add "
       "--act-quant-granularity per_group"},
  };
}

std::vector<Rule> bias_rules() {
  return {
      {{kAnyBias, kWeightGroups}, kBiasScale},
      {{kAnyBias, kMinifloat}, kBiasScale},
      {{kAnyBias, kActGroups}, kBiasScale},
      {{kAnyBias, kDynamic}, kBiasScale},
      {{another("bias-bit-width"), kAnyBias, kWeightsOnly},
       "without quantized inputs biases stay in float"},
  };
}

std::vector<Rule> dtype_rules() {
  return {
      {{is("dtype", {"float16"}), is("gpu", {"None"})},
       "LibTorch has no convolution in float16 on the CPU"},
      {{is("dtype", {"bfloat16", "float16"}), is("compile", {"on"})},
       "the optimised plan computes in float32: add --no-compile"},
  };
}

}  // namespace

const std::vector<Rule>& combination_rules() {
  static const std::vector<Rule> rules =
      together({weight_rules(), activation_rules(), bias_rules(), graph_technique_rules(),
                rounding_rules(), bit_rules(), result_rules(), dtype_rules(), need_rules()});
  return rules;
}

}  // namespace ptq::options
