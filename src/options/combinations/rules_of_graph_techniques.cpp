#include "options/combinations/rule_conditions.h"

namespace ptq::options {
namespace {

std::vector<Rule> residual_rules() {
  const Condition wide = is("residual-adds", {"wide"});
  return {
      {{another("residual-adds"), is("target-backend", {"layerwise"})},
       "layerwise leaves residual adds in float"},
      {{another("residual-adds"), kWeightsOnly}, kNoEffect},
      {{wide, kMinifloat}, "wide residual adds are integers: use --residual-adds float"},
      {{wide, kActGroups},
       "wide residual adds have one scale per tensor: use --residual-adds float"},
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
      {{by_hand, kWeightsOnly}, "this network is defined with quantized activations"}};
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
                             "relu6",
                             "layer-bits",
                             "residual-adds",
                             "graph-eq-iterations",
                             "graph-eq-merge-bias",
                             "act-equalization",
                             "channel-splitting-ratio"}) {
    rules.push_back(
        {{by_hand, another(option)},
         "the network and its quantizers are defined by hand: it would have no effect"});
  }
  return rules;
}

}  // namespace

std::vector<Rule> graph_technique_rules() {
  return together({residual_rules(), technique_rules(), hand_defined_rules()});
}

}  // namespace ptq::options
