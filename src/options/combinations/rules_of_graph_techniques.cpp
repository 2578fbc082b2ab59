#include "options/combinations/rule_conditions.h"

namespace ptq::options {
namespace {

std::vector<Rule> residual_rules() {
  const Condition wide = is("residual-adds", {"wide"});
  return {
      {{wide, kMinifloat}, "wide residual adds are integers: use --residual-adds float"},
      {{wide, kActGroups},
       "wide residual adds have one scale per tensor: use --residual-adds float"},
  };
}

std::vector<Rule> technique_rules() {
  return {
      {{is("calibrate-bn", {"on"}), is("merge-bn", {"on"}), is_not("target-backend", {"flexml"})},
       "merged batch norms have no statistics: add --no-merge-bn"},
  };
}

/// Networks whose quantizers stand where their author put them (docs/hand-defined-networks.md).
std::vector<Rule> hand_defined_rules() {
  const Condition by_hand = is("model-name", {"quant_mobilenet_v1"});
  std::vector<Rule> rules = {
      {{by_hand, kWeightsOnly}, "this network is defined with quantized activations"}};
  for (const Option& option : option_table()) {
    if (!option.is_for_backends) continue;
    rules.push_back(
        {{by_hand, another(option.name)},
         "the network and its quantizers are defined by hand: it would have no effect"});
  }
  return rules;
}

}  // namespace

std::vector<Rule> graph_technique_rules() {
  return together({residual_rules(), technique_rules(), hand_defined_rules()});
}

}  // namespace ptq::options
