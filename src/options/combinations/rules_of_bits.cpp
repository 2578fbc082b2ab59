#include "options/combinations/rule_conditions.h"

namespace ptq::options {

std::vector<Rule> bit_rules() {
  constexpr std::string_view kFormatBits = "minifloats have the bits of their format";
  constexpr std::string_view kFileBits = "the file has scales for its own bits alone";
  std::vector<Rule> rules;
  for (const char* budget : {"weight-budget", "size-budget", "bitops-budget"}) {
    rules.push_back(
        {{another(budget), another("layer-bits")}, "the budget chooses the bits of layers"});
    rules.push_back({{another(budget), kMinifloat}, kFormatBits});
    rules.push_back({{another(budget), another("load-quantizers")}, kFileBits});
  }
  for (const char* option : {"sensitivity", "pareto"}) {
    rules.push_back({{another(option), another("layer-bits")},
                     "every layer is measured at each of the candidate widths"});
    rules.push_back({{another(option), kMinifloat}, kFormatBits});
    rules.push_back({{another(option), another("load-quantizers")}, kFileBits});
  }
  rules.push_back({{another("bitops-budget"), kWeightsOnly},
                   "bit operations are products of weights and activations, which are not "
                   "quantized"});
  const Condition no_weight_budget = is("weight-budget", {"None"});
  const Condition no_size_budget = is("size-budget", {"None"});
  const Condition no_bitops_budget = is("bitops-budget", {"None"});
  rules.push_back(
      {{another("save-layer-bits"), no_weight_budget, no_size_budget, no_bitops_budget},
       "there are no bits to save without --weight-budget, --size-budget or --bitops-budget"});
  rules.push_back({{another("save-pareto"), is("pareto", {"None"})}, kNoEffect});
  for (const char* option : {"candidate-bits", "sensitivity-images"}) {
    rules.push_back({{another(option), no_weight_budget, no_size_budget, no_bitops_budget,
                      is("sensitivity", {"None"}), is("pareto", {"None"})},
                     kNoEffect});
  }
  return rules;
}

}  // namespace ptq::options
