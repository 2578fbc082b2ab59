#include "options/combinations/rule_conditions.h"

namespace ptq::options {
namespace {

/// Rounding techniques go through the network in one sweep, which computes in float32.
std::vector<Rule> sweep_rules() {
  std::vector<Rule> rules;
  for (const char* technique : {"gptq", "gpfq", "qronos"}) {
    rules.push_back({{is(technique, {"on"}), is("dtype", {"bfloat16", "float16"})},
                     "weights are rounded in float32"});
  }
  rules.push_back({{another("disable-create-weight-orig"), is("gpfq", {"on"})},
                   "GPFQ keeps the original weights"});
  rules.push_back(
      {{another("gpxq-held-out"), another("gpfq-p"), is("gptq", {"off"}), is("qronos", {"off"})},
       "layers of which GPFQ sees a part of the inputs are not judged"});
  return rules;
}

std::vector<Rule> accumulator_rules() {
  const Condition bounded = another("gpxq-accumulator-bit-width");
  return {
      {{bounded, is("qronos", {"on"})}, "Qronos does not support accumulator bounds"},
      {{bounded, is_not("learned-round", {"None"})},
       "learned rounding does not support accumulator bounds"},
      {{bounded, is("gptq", {"on"}), is("gptq-use-quant-activations", {"off"})},
       "the bound follows from quantized inputs: add --gptq-use-quant-activations"},
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
  const Condition preset = another("learned-round-preset");
  const Condition scales = is_not("learned-round-act-lr", {"0"});
  std::vector<Rule> rules = {
      {{learned, kMinifloat}, "rounding can be learned only for integers"},
      {{learned, is_not("dtype", {"float"})}, "rounding is learned in float32"},
      {{another("learned-round-damping"), is_not("learned-round-batch-size", {"None"})},
       "damping needs the gradient over all images: add --learned-round-batch-size None"},
      {{preset, scales, kDynamic},
       "scales that each image gives anew cannot be learned: add --learned-round-act-lr 0"},
      {{preset, scales, kPowersOfTwo},
       "powers of two leave no room to learn: add --learned-round-act-lr 0"},
  };
  for (const char* technique : {"gptq", "gpfq", "qronos"}) {
    rules.push_back({{learned, is(technique, {"on"})}, "both would round the same weights"});
  }
  return rules;
}

}  // namespace

std::vector<Rule> rounding_rules() {
  return together({sweep_rules(), accumulator_rules(), learned_round_rules()});
}

}  // namespace ptq::options
