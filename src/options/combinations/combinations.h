#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options/settings.h"

/// What does not go together: one table, from which both the refusals and docs/combinations.md
/// follow.
namespace ptq::options {

/// One option's part in a rule. kChanged holds for every value but the default that somebody
/// chose: to say a default out loud is not a mistake, and a preset may say more than matters.
struct Condition {
  enum class Test { kIs, kIsNot, kChanged };
  std::string_view option;
  Test test = Test::kIs;
  std::vector<std::string_view> values = {};
};

/// Refused when all conditions hold. The first one is the option to be blamed: "it" in the reason,
/// and where the rule stands in docs/combinations.md.
struct Rule {
  std::vector<Condition> conditions;
  /// Why, and what to do instead; completes "A with B: ".
  std::string_view reason;
};

const std::vector<Rule>& combination_rules();

bool holds(const Condition& condition, const Settings& settings);

/// docs/combinations.md: the rules, grouped by option.
std::string combinations_page();

}  // namespace ptq::options
