#include <algorithm>

#include "options/combinations/rule_conditions.h"

namespace ptq::options {
namespace {

/// The values with which an option does nothing.
std::vector<std::string_view> off_values(const Option& option) {
  if (option.type == ValueType::kSwitch || option.type == ValueType::kOnOff) return {"off"};
  std::vector<std::string_view> values = option.extra;
  if (option.range.low == 0 && !option.range.above_low) values.push_back("0");
  if (option.accepts_none) values.push_back("None");
  return values;
}

/// Said the shorter way: "is `int`" where that is all but `float` and `float_ocp`.
Condition lacks(const Need::Other& other) {
  const Option& option = *find_option(other.option);
  if (other.values.empty()) return is(other.option, off_values(option));
  std::vector<std::string_view> rest;
  for (const std::string_view choice : option.choices) {
    const auto& good = other.values;
    if (std::find(good.begin(), good.end(), choice) == good.end()) rest.push_back(choice);
  }
  return rest.size() <= other.values.size() ? is(other.option, rest)
                                            : is_not(other.option, other.values);
}

}  // namespace

std::vector<Rule> need_rules() {
  std::vector<Rule> rules;
  for (const Option& option : option_table()) {
    for (const Need& need : option.required) {
      Rule rule{{another(option.name)}, need.reason};
      for (const Need::Other& other : need.one_of) rule.conditions.push_back(lacks(other));
      rules.push_back(std::move(rule));
    }
  }
  return rules;
}

}  // namespace ptq::options
