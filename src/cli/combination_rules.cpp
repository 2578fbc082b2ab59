#include "combinations.h"

namespace ptq::cli {
namespace {

Condition is(std::string_view option, std::vector<std::string_view> values) {
  return {option, Condition::Test::kIs, std::move(values)};
}
Condition is_not(std::string_view option, std::vector<std::string_view> values) {
  return {option, Condition::Test::kIsNot, std::move(values)};
}
Condition another(std::string_view option) { return {option, Condition::Test::kChanged, {}}; }

const Condition kMinifloat = is("quant-format", {"float", "float_ocp"});
const Condition kWeightGroups = is("weight-quant-granularity", {"per_group"});
const Condition kActGroups = is("act-quant-granularity", {"per_group"});
const Condition kWeightsOnly = is("act-bit-width", {"0", "None"});
const Condition kDynamic = is("act-scale-computation-type", {"dynamic"});
const Condition kPowersOfTwo = is("scale-factor-type", {"po2_scale"});
const Condition kAnyBias = is_not("bias-bit-width", {"None"});

constexpr std::string_view kNoEffect = "it would have no effect";
constexpr std::string_view kBiasScale =
    "a bias is quantized at the product of one input scale and the weight scale, and here is no "
    "such scale: add --bias-bit-width None";

std::vector<Rule> weight_rules() {
  return {
      {{kMinifloat, is("weight-quant-type", {"asym"})}, "minifloats have a sign and no zero point"},
      {{kMinifloat, is("weight-quant-calibration-type", {"hqo"})},
       "half-quadratic optimization is defined for integers"},
      {{kMinifloat, another("weight-narrow-range")}, kNoEffect},
      {{kPowersOfTwo, is("weight-quant-calibration-type", {"hqo"})},
       "half-quadratic optimization needs scales that move freely"},
      {{kWeightGroups, is("weight-quant-calibration-type", {"hqo"})},
       "half-quadratic optimization fits tensors and channels"},
      {{kPowersOfTwo, is("weight-quant-type", {"asym"}),
        is_not("weight-quant-granularity", {"per_group"})},
       "asymmetric weights have power-of-two scales in groups alone"},
      {{kMinifloat, kPowersOfTwo, is_not("weight-quant-granularity", {"per_group"})},
       "minifloats have power-of-two scales in blocks alone: add --weight-quant-granularity "
       "per_group"},
      {{is("target-backend", {"flexml"}), another("merge-bn")}, "flexml always merges batch norms"},
  };
}

std::vector<Rule> activation_rules() {
  return {
      {{kMinifloat, is("act-quant-type", {"asym"})}, "minifloats have a sign and no zero point"},
      {{kActGroups, is("act-scale-computation-type", {"static"})},
       "scales of blocks are computed per input: add --act-scale-computation-type dynamic"},
      {{kActGroups, is("scale-factor-type", {"float_scale"})},
       "scales of blocks are powers of two: add --scale-factor-type po2_scale"},
      {{kActGroups, is("act-quant-type", {"asym"})}, "blocks are symmetric"},
      {{kDynamic, is("act-quant-calibration-type", {"mse"})},
       "a search for every input is not offered"},
      {{kDynamic, kPowersOfTwo, is("act-quant-granularity", {"per_tensor"})},
       "dynamic power-of-two scales are those of blocks: add --act-quant-granularity per_group"},
      {{kDynamic, kMinifloat, is("act-quant-granularity", {"per_tensor"})},
       "dynamic minifloats are those of blocks: add --act-quant-granularity per_group and "
       "--scale-factor-type po2_scale"},
      {{kMinifloat, kPowersOfTwo, is("act-quant-granularity", {"per_tensor"}),
        is_not("act-bit-width", {"0", "None"})},
       "minifloats have power-of-two scales in blocks alone: add --act-quant-granularity "
       "per_group"},
      {{kMinifloat, another("uint-sym-act-for-unsigned-values")}, kNoEffect},
      {{another("act-quant-percentile"), is("act-quant-calibration-type", {"mse"})}, kNoEffect},
      {{another("act-quant-percentile"), kMinifloat},
       "minifloat activations hold the largest value: it would have no effect"},
      {{another("act-quant-percentile"), kDynamic}, kNoEffect},
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

std::vector<Rule> unused_rules() {
  std::vector<Rule> rules;
  for (const char* option :
       {"act-quant-type", "act-quant-granularity", "act-quant-calibration-type",
        "act-scale-computation-type", "act-quant-percentile", "uint-sym-act-for-unsigned-values"}) {
    rules.push_back({{another(option), kWeightsOnly}, kNoEffect});
  }
  for (const char* option :
       {"layerwise-first-last-bit-width", "layerwise-first-last-mantissa-bit-width",
        "layerwise-first-last-exponent-bit-width"}) {
    rules.push_back({{another(option), is_not("target-backend", {"layerwise"})},
                     "only layerwise treats first and last layer apart"});
  }
  for (const char* option :
       {"weight-mantissa-bit-width", "weight-exponent-bit-width", "act-mantissa-bit-width",
        "act-exponent-bit-width", "layerwise-first-last-mantissa-bit-width",
        "layerwise-first-last-exponent-bit-width"}) {
    rules.push_back({{another(option), is("quant-format", {"int"})}, kNoEffect});
  }
  rules.push_back({{another("group-size"), is_not("weight-quant-granularity", {"per_group"}),
                    is_not("act-quant-granularity", {"per_group"})},
                   kNoEffect});
  rules.push_back({{another("layer-bits"), kMinifloat},
                   "bit widths alone do not say how a minifloat is split"});
  return rules;
}

std::vector<Rule> residual_rules() {
  const Condition wide = is("residual-adds", {"wide"});
  return {
      {{another("residual-adds"), is("target-backend", {"layerwise"})},
       "layerwise leaves residual adds in float"},
      {{another("residual-adds"), kWeightsOnly}, kNoEffect},
      {{wide, kMinifloat}, "wide residual adds are integers: say float"},
      {{wide, kActGroups}, "wide residual adds have one scale a value: say float"},
  };
}

std::vector<Rule> attribution_rules() {
  return {
      {{is("attribute", {"on"}), is("skip-float", {"on"})},
       "what a stage costs is measured against the float network"},
  };
}

std::vector<Rule> technique_rules() {
  return {
      {{is("calibrate-bn", {"on"}), is("merge-bn", {"on"}), is_not("target-backend", {"flexml"})},
       "merged batch norms have no statistics: add --no-merge-bn"},
      {{another("graph-eq-merge-bias"), is("graph-eq-iterations", {"0"})}, kNoEffect},
      {{another("channel-splitting-ratio"), is("target-backend", {"flexml"})},
       "flexml has no channel splitting"},
      {{another("channel-splitting-split-input"), is("channel-splitting-ratio", {"0"})}, kNoEffect},
      {{another("act-equalization-alpha"), is("act-equalization", {"None"})}, kNoEffect},
  };
}

/// Networks whose quantizers stand where their author put them (docs/hand-defined-networks.md).
std::vector<Rule> hand_defined_rules() {
  const Condition by_hand = is("model-name", {"quant_mobilenet_v1"});
  std::vector<Rule> rules = {
      {{by_hand, kWeightsOnly}, "its activations are quantized: that is how it is defined"}};
  for (const char* option : {"target-backend",
                             "quant-format",
                             "scale-factor-type",
                             "weight-quant-type",
                             "act-quant-type",
                             "weight-quant-granularity",
                             "act-quant-granularity",
                             "weight-quant-calibration-type",
                             "act-quant-calibration-type",
                             "act-scale-computation-type",
                             "weight-narrow-range",
                             "bias-bit-width",
                             "uint-sym-act-for-unsigned-values",
                             "merge-bn",
                             "layer-bits",
                             "residual-adds",
                             "graph-eq-iterations",
                             "graph-eq-merge-bias",
                             "act-equalization",
                             "channel-splitting-ratio"}) {
    rules.push_back({{by_hand, another(option)},
                     "the network is defined by hand, as are its quantizers: it would have no "
                     "effect"});
  }
  return rules;
}

std::vector<Rule> draw_rules() {
  return {
      {{another("repeat-calibration"), is("calibration-sampling", {"first"})},
       "every draw would be the same"},
      {{another("repeat-calibration"), another("validation-samples")},
       "a seed draws the validation images too, and draws are compared on the same ones"},
  };
}

std::vector<Rule> gate_rules() {
  const Condition no_baseline = is("baseline", {"None"});
  return {
      {{another("max-drop"), no_baseline}, kNoEffect},
      {{another("confidence"), no_baseline}, kNoEffect},
      {{another("junit"), no_baseline, is("strict", {"off"})},
       "without --baseline or --strict there is no verdict to write"},
  };
}

std::vector<Rule> export_rules() {
  const Condition no_onnx = is("export-onnx-qcdq", {"off"});
  const Condition no_torchscript = is("export-torch-qcdq", {"off"});
  constexpr std::string_view kFloat32 = "exported networks compute in float32";
  return {
      {{another("export-dir"), no_onnx, no_torchscript}, kNoEffect},
      {{another("check-export"), no_onnx, no_torchscript}, kNoEffect},
      {{another("onnx-opset-version"), no_onnx}, kNoEffect},
      {{another("onnx-int4-weights"), no_onnx}, kNoEffect},
      {{is("dtype", {"bfloat16", "float16"}), is("export-onnx-qcdq", {"on"})}, kFloat32},
      {{is("dtype", {"bfloat16", "float16"}), is("export-torch-qcdq", {"on"})}, kFloat32},
  };
}

/// Rounding techniques go through the network in one sweep, which computes in float32 on the CPU.
std::vector<Rule> sweep_rules() {
  std::vector<Rule> rules;
  for (const char* technique : {"gptq", "gpfq", "qronos"}) {
    rules.push_back({{is(technique, {"on"}), is("dtype", {"bfloat16", "float16"})},
                     "the layer sweep computes in float32"});
    rules.push_back(
        {{is(technique, {"on"}), is_not("gpu", {"None"})}, "the layer sweep runs on the CPU"});
  }
  const Condition no_gptq = is("gptq", {"off"}), no_gpfq = is("gpfq", {"off"}),
                  no_qronos = is("qronos", {"off"});
  rules.push_back({{another("gpxq-act-order"), no_gptq, no_gpfq, no_qronos}, kNoEffect});
  rules.push_back(
      {{another("activation-memory"), no_gptq, no_gpfq, no_qronos, is("learned-round", {"None"})},
       kNoEffect});
  rules.push_back({{another("gpfq-p"), no_gpfq}, kNoEffect});
  rules.push_back({{another("gptq-use-quant-activations"), no_gptq}, kNoEffect});
  rules.push_back({{another("gptq-use-quant-activations"), kWeightsOnly}, kNoEffect});
  rules.push_back({{another("disable-create-weight-orig"), no_gptq}, kNoEffect});
  rules.push_back({{another("disable-create-weight-orig"), is("gpfq", {"on"})},
                   "GPFQ keeps the original weights"});
  rules.push_back(
      {{another("disable-create-weight-orig"), is("bias-corr", {"off"}), no_qronos}, kNoEffect});
  return rules;
}

std::vector<Rule> accumulator_rules() {
  const Condition bounded = is_not("gpxq-accumulator-bit-width", {"None"});
  return {
      {{another("gpxq-accumulator-tile-size"), is("gpxq-accumulator-bit-width", {"None"})},
       kNoEffect},
      {{bounded, is("qronos", {"on"})}, "Qronos knows no accumulator"},
      {{bounded, is_not("learned-round", {"None"})}, "learned rounding knows no accumulator"},
      {{bounded, is("gptq", {"off"}), is("gpfq", {"off"})},
       "GPTQ and GPFQ alone know an accumulator: it would have no effect"},
      {{bounded, is("gptq", {"on"}), is("gptq-use-quant-activations", {"off"})},
       "the bound follows from quantized inputs: add --gptq-use-quant-activations"},
      {{bounded, kWeightsOnly}, "the bound follows from quantized inputs"},
      {{bounded, kMinifloat}, "accumulators add integers"},
      {{bounded, is("weight-quant-granularity", {"per_tensor", "per_group"})},
       "an accumulator has the scale of its output channel: add --weight-quant-granularity "
       "per_channel"},
      {{bounded, kActGroups}, "codes of blocks have scales of their own and do not add up"},
      {{bounded, is("weight-quant-calibration-type", {"hqo"}), is("weight-quant-type", {"asym"})},
       "zero points of half-quadratic optimization are no integers"},
  };
}

std::vector<Rule> learned_round_rules() {
  const Condition learned = is_not("learned-round", {"None"});
  std::vector<Rule> rules = {
      {{learned, kMinifloat}, "rounding is learned between integers"},
      {{learned, is_not("dtype", {"float"})}, "rounding is learned in float32"},
      {{learned, is_not("gpu", {"None"})}, "rounding is learned on the CPU"},
      {{another("drop-activations"), is("learned-round-mode", {"layerwise"})},
       "a layer has no activations inside: add --learned-round-mode blockwise"},
      {{another("drop-activations"), kWeightsOnly}, kNoEffect},
      {{another("learned-round-block-name"), is("learned-round-mode", {"layerwise"})}, kNoEffect},
  };
  for (const char* technique : {"gptq", "gpfq", "qronos"}) {
    rules.push_back({{learned, is(technique, {"on"})}, "each rounds what the other one would"});
  }
  for (const char* option :
       {"learned-round-block-name", "learned-round-loss", "learned-round-mode",
        "learned-round-iters", "learned-round-lr-scheduler", "learned-round-lr",
        "learned-round-batch-size", "optimizer", "drop-activations"}) {
    rules.push_back({{another(option), is("learned-round", {"None"})},
                     "without --learned-round it would have no effect"});
  }
  return rules;
}

std::vector<Rule> dtype_rules() {
  return {
      {{is("dtype", {"float16"}), is("gpu", {"None"})},
       "LibTorch has no convolution in float16 on the CPU"},
      {{is("dtype", {"bfloat16", "float16"}), is("compile", {"on"})},
       "the optimised plan computes in float32: add --no-compile"},
  };
}

std::vector<Rule> all_rules() {
  std::vector<Rule> all;
  for (std::vector<Rule> some :
       {weight_rules(), activation_rules(), bias_rules(), unused_rules(), residual_rules(),
        attribution_rules(), technique_rules(), sweep_rules(), accumulator_rules(),
        learned_round_rules(), hand_defined_rules(), draw_rules(), gate_rules(), export_rules(),
        dtype_rules()}) {
    for (Rule& rule : some) all.push_back(std::move(rule));
  }
  return all;
}

}  // namespace

const std::vector<Rule>& combination_rules() {
  static const std::vector<Rule> rules = all_rules();
  return rules;
}

}  // namespace ptq::cli
