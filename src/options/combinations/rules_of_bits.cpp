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
  return rules;
}

}  // namespace ptq::options
