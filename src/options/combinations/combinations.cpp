#include "options/combinations/combinations.h"

#include <algorithm>

#include "ptq/base/error.h"

namespace ptq::options {
namespace {

std::string flag(std::string_view option) { return "--" + std::string(option); }

/// As it was asked for: "--quant-format float".
std::string asked(const Condition& condition, const Settings& settings) {
  const Value& value = settings.value(condition.option);
  if (const bool* on = std::get_if<bool>(&value)) {
    return (*on ? "--" : "--no-") + std::string(condition.option);
  }
  return flag(condition.option) + " " + to_text(value);
}

/// "A with B, C and D".
std::string asked(const Rule& rule, const Settings& settings) {
  std::string sentence = asked(rule.conditions.front(), settings);
  for (size_t i = 1; i < rule.conditions.size(); ++i) {
    const bool last = i + 1 == rule.conditions.size();
    sentence += i == 1 ? " with " : last ? " and " : ", ";
    sentence += asked(rule.conditions[i], settings);
  }
  return sentence;
}

struct Split {
  const char* bits;
  const char* exponent;
  const char* mantissa;
};

/// 1 + E + M must be the bit width.
void check_split(const Settings& settings, const Split& split) {
  const int64_t exponent = settings.integer(split.exponent);
  const int64_t mantissa = settings.integer(split.mantissa);
  const int64_t bits = settings.integer(split.bits);
  if (exponent < 1) throw ConfigError(flag(split.exponent) + " must be at least 1");
  if (bits < 3 || bits > 8) {
    throw ConfigError(flag(split.bits) + " must be between 3 and 8 for float formats, not " +
                      std::to_string(bits));
  }
  if (1 + exponent + mantissa == bits) return;
  throw ConfigError(flag(split.bits) + " " + std::to_string(bits) + " is not the sign, " +
                    flag(split.exponent) + " " + std::to_string(exponent) + " and " +
                    flag(split.mantissa) + " " + std::to_string(mantissa) + " together");
}

void check_minifloats(const Settings& settings) {
  if (settings.text("quant-format") == "int") return;
  check_split(settings,
              {"weight-bit-width", "weight-exponent-bit-width", "weight-mantissa-bit-width"});
  if (!holds({"act-bit-width", Condition::Test::kIs, {"0", "None"}}, settings)) {
    check_split(settings, {"act-bit-width", "act-exponent-bit-width", "act-mantissa-bit-width"});
  }
  if (settings.text("target-backend") == "layerwise") {
    check_split(settings,
                {"layerwise-first-last-bit-width", "layerwise-first-last-exponent-bit-width",
                 "layerwise-first-last-mantissa-bit-width"});
  }
}

}  // namespace

bool holds(const Condition& condition, const Settings& settings) {
  const Value& chosen = settings.value(condition.option);
  if (condition.test == Condition::Test::kChanged) {
    return settings.given(condition.option) &&
           chosen != default_value(*find_option(condition.option));
  }
  const std::string value = to_text(chosen);
  const bool listed =
      std::find(condition.values.begin(), condition.values.end(), value) != condition.values.end();
  return listed == (condition.test == Condition::Test::kIs);
}

void check_combinations(const Settings& settings) {
  for (const Rule& rule : combination_rules()) {
    const bool applies =
        std::all_of(rule.conditions.begin(), rule.conditions.end(),
                    [&](const Condition& condition) { return holds(condition, settings); });
    if (!applies) continue;
    throw ConfigError(asked(rule, settings) + ": " + std::string(rule.reason));
  }
  check_minifloats(settings);
}

}  // namespace ptq::options
