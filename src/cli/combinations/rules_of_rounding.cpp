#include "cli/combinations/rule_conditions.h"

namespace ptq::cli {
namespace {

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
      {{another("learned-round-channel-error"), is("learned-round-mode", {"layerwise"})},
       "channels of a layer are learned apart from each other: add --learned-round-mode blockwise"},
      {{another("learned-round-block-name"), is("learned-round-mode", {"layerwise"})}, kNoEffect},
      {{another("learned-round-damping"), is_not("learned-round-batch-size", {"None"})},
       "only gradients of all images are damped: add --learned-round-batch-size None"},
      {{another("learned-round-damping"), is("learned-round-mode", {"blockwise"})},
       "blocks learn without damping"},
  };
  for (const char* technique : {"gptq", "gpfq", "qronos"}) {
    rules.push_back({{learned, is(technique, {"on"})}, "each rounds what the other one would"});
  }
  for (const char* option :
       {"learned-round-block-name", "learned-round-loss", "learned-round-mode",
        "learned-round-iters", "learned-round-lr-scheduler", "learned-round-lr",
        "learned-round-batch-size", "learned-round-damping", "optimizer", "drop-activations",
        "learned-round-channel-error"}) {
    rules.push_back({{another(option), is("learned-round", {"None"})},
                     "without --learned-round it would have no effect"});
  }
  return rules;
}

}  // namespace

std::vector<Rule> rounding_rules() {
  return joined({sweep_rules(), accumulator_rules(), learned_round_rules()});
}

}  // namespace ptq::cli
