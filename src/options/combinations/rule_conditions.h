#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "options/combinations/combinations.h"

/// Words in which the table of combinations is written, and its parts.
namespace ptq::options {

inline Condition is(std::string_view option, std::vector<std::string_view> values) {
  return {option, Condition::Test::kIs, std::move(values)};
}
inline Condition is_not(std::string_view option, std::vector<std::string_view> values) {
  return {option, Condition::Test::kIsNot, std::move(values)};
}
inline Condition another(std::string_view option) {
  return {option, Condition::Test::kChanged, {}};
}

inline const Condition kMinifloat = is("quant-format", {"float", "float_ocp"});
inline const Condition kWeightGroups = is("weight-quant-granularity", {"per_group"});
inline const Condition kActGroups = is("act-quant-granularity", {"per_group"});
inline const Condition kWeightsOnly = is("act-bit-width", {"0", "None"});
inline const Condition kDynamic = is("act-scale-computation-type", {"dynamic"});
inline const Condition kPowersOfTwo = is("scale-factor-type", {"po2_scale"});
inline const Condition kAnyBias = is_not("bias-bit-width", {"None"});

inline std::vector<Rule> together(std::vector<std::vector<Rule>> parts) {
  std::vector<Rule> all;
  for (std::vector<Rule>& part : parts) {
    for (Rule& rule : part) all.push_back(std::move(rule));
  }
  return all;
}

/// What the rows of the option table need.
std::vector<Rule> need_rules();
/// Of the techniques that come before calibration, and networks defined by hand.
std::vector<Rule> graph_technique_rules();
/// Of rounding: GPTQ, GPFQ, Qronos, accumulators, learned rounding.
std::vector<Rule> rounding_rules();
/// Of sensitivities and budgets.
std::vector<Rule> bit_rules();
/// Of what is measured and written: attribution, draws, the gate, exports.
std::vector<Rule> result_rules();

}  // namespace ptq::options
