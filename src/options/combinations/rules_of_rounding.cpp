#include "options/combinations/rule_conditions.h"

namespace ptq::options {
namespace {

/// Rounding techniques go through the network in one sweep, which computes in float32 on the CPU.
std::vector<Rule> sweep_rules() {
  std::vector<Rule> rules;
  for (const char* technique : {"gptq", "gpfq", "qronos"}) {
    rules.push_back({{is(technique, {"on"}), is("dtype", {"bfloat16", "float16"})},
                     "weights are rounded in float32"});
    rules.push_back(
        {{is(technique, {"on"}), is_not("gpu", {"None"})}, "weights are rounded on the CPU"});
  }
  const Condition no_gptq = is("gptq", {"off"}), no_gpfq = is("gpfq", {"off"}),
                  no_qronos = is("qronos", {"off"});
  for (const char* option : {"gpxq-act-order", "gpxq-held-out"}) {
    rules.push_back({{another(option), no_gptq, no_gpfq, no_qronos}, kNoEffect});
  }
  rules.push_back(
      {{another("activation-memory"), no_gptq, no_gpfq, no_qronos, is("learned-round", {"None"}),
        is("sensitivity", {"None"}), is("weight-budget", {"None"}), is("size-budget", {"None"}),
        is("bitops-budget", {"None"}), is("pareto", {"None"})},
       kNoEffect});
  rules.push_back({{another("gpfq-p"), no_gpfq}, kNoEffect});
  rules.push_back({{another("qronos-damping"), no_qronos}, kNoEffect});
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
      {{bounded, is("qronos", {"on"})}, "Qronos does not support accumulator bounds"},
      {{bounded, is_not("learned-round", {"None"})},
       "learned rounding does not support accumulator bounds"},
      {{bounded, is("gptq", {"off"}), is("gpfq", {"off"})},
       "only GPTQ and GPFQ support accumulator bounds: it would have no effect"},
      {{bounded, is("gptq", {"on"}), is("gptq-use-quant-activations", {"off"})},
       "the bound follows from quantized inputs: add --gptq-use-quant-activations"},
      {{bounded, kWeightsOnly}, "the bound follows from quantized inputs"},
      {{bounded, kMinifloat}, "accumulators add integers"},
      {{bounded, is("weight-quant-granularity", {"per_tensor", "per_group"})},
       "each accumulator needs the scale of its output channel: add "
       "--weight-quant-granularity per_channel"},
      {{bounded, kActGroups},
       "codes of different groups have different scales and cannot be added"},
      {{bounded, is("weight-quant-calibration-type", {"hqo"}), is("weight-quant-type", {"asym"})},
       "half-quadratic optimization gives zero points that are not integers"},
      {{another("gpxq-held-out"), bounded}, "layers with bounded accumulators are not judged"},
  };
}

std::vector<Rule> learned_round_rules() {
  const Condition learned = is_not("learned-round", {"None"});
  std::vector<Rule> rules = {
      {{learned, kMinifloat}, "rounding can be learned only for integers"},
      {{learned, is_not("dtype", {"float"})}, "rounding is learned in float32"},
      {{learned, is_not("gpu", {"None"})}, "rounding is learned on the CPU"},
      {{another("drop-activations"), is("learned-round-mode", {"layerwise"})},
       "a single layer contains no activations: add --learned-round-mode blockwise"},
      {{another("drop-activations"), kWeightsOnly}, kNoEffect},
      {{another("learned-round-preset"), is("learned-round-mode", {"layerwise"})},
       "its settings are those of blocks"},
      {{another("learned-round-act-lr"), is("learned-round-mode", {"layerwise"})},
       "a single layer contains no activations: add --learned-round-mode blockwise"},
      {{another("learned-round-act-lr"), kWeightsOnly}, kNoEffect},
      {{another("learned-round-act-lr"), is("act-scale-computation-type", {"dynamic"})}, kNoEffect},
      {{another("learned-round-act-lr"), is("scale-factor-type", {"po2_scale"})},
       "powers of two leave no room to learn"},
      {{another("learned-round-channel-error"), is("learned-round-mode", {"layerwise"})},
       "the channels of a single layer are learned independently: add "
       "--learned-round-mode blockwise"},
      {{another("learned-round-block-name"), is("learned-round-mode", {"layerwise"})}, kNoEffect},
      {{another("learned-round-damping"), is_not("learned-round-batch-size", {"None"})},
       "damping needs the gradient over all images: add --learned-round-batch-size None"},
      {{another("learned-round-damping"), is("learned-round-mode", {"blockwise"})},
       "blocks are learned without damping"},
  };
  for (const char* technique : {"gptq", "gpfq", "qronos"}) {
    rules.push_back({{learned, is(technique, {"on"})}, "both would round the same weights"});
  }
  for (const char* option :
       {"learned-round-block-name", "learned-round-loss", "learned-round-mode",
        "learned-round-iters", "learned-round-lr-scheduler", "learned-round-lr",
        "learned-round-batch-size", "learned-round-damping", "optimizer", "drop-activations",
        "learned-round-channel-error", "learned-round-act-lr", "learned-round-preset"}) {
    rules.push_back({{another(option), is("learned-round", {"None"})},
                     "it would have no effect without --learned-round"});
  }
  return rules;
}

}  // namespace

std::vector<Rule> rounding_rules() {
  return together({sweep_rules(), accumulator_rules(), learned_round_rules()});
}

}  // namespace ptq::options
