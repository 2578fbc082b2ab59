#include "sweep/expand.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "options/option_levels.h"
#include "ptq/base/error.h"

namespace ptq::sweep {
namespace {

/// Later choices go over earlier ones of the same option, in its place.
std::vector<Choice> merged(std::vector<Choice> choices, const std::vector<Choice>& over) {
  for (const Choice& choice : over) {
    const auto same = std::find_if(choices.begin(), choices.end(), [&](const Choice& each) {
      return each.option == choice.option;
    });
    if (same == choices.end()) {
      choices.push_back(choice);
    } else {
      *same = choice;
    }
  }
  return choices;
}

std::vector<Choice> given_choices(const options::Settings& settings) {
  std::vector<Choice> choices;
  for (const options::Option& option : options::option_table()) {
    if (settings.given(option.name)) choices.push_back({&option, {settings.value(option.name)}});
  }
  return choices;
}

bool matches(const Exclusion& exclusion, const options::Settings& settings) {
  return std::all_of(exclusion.conditions.begin(), exclusion.conditions.end(),
                     [&](const Choice& condition) {
                       const options::Value& value = settings.value(condition.option->name);
                       const auto& values = condition.values;
                       return std::find(values.begin(), values.end(), value) != values.end();
                     });
}

/// Empty where the combination makes sense.
std::string reason_to_skip(const Sweep& sweep, const options::Settings& settings) {
  for (const Exclusion& exclusion : sweep.exclusions) {
    if (matches(exclusion, settings)) return exclusion.reason;
  }
  try {
    options::check_combinations(settings);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

void check_count(const std::vector<std::vector<Choice>>& choices_of_models) {
  // Products may be beyond any integer; a sentence needs no more than their size.
  double count = 0;
  for (const std::vector<Choice>& choices : choices_of_models) {
    double product = 1;
    for (const Choice& choice : choices) product *= static_cast<double>(choice.values.size());
    count += product;
  }
  if (count <= static_cast<double>(kMostCombinations)) return;
  std::array<char, 64> words{};
  std::snprintf(words.data(), words.size(), count < 1e15 ? "%.0f" : "%.3g", count);
  throw ConfigError("the sweep has " + std::string(words.data()) + " combinations, more than the " +
                    std::to_string(kMostCombinations) + " that one sweep may have");
}

class Expander {
 public:
  Expander(const Sweep& sweep, Expansion& expansion) : sweep_(sweep), expansion_(expansion) {}

  /// Counts through all combinations like an odometer, the last choice fastest.
  void add(const std::vector<Choice>& choices) {
    std::vector<size_t> at(choices.size(), 0);
    for (;;) {
      add_combination(choices, at);
      size_t place = choices.size();
      while (place > 0 && ++at[place - 1] == choices[place - 1].values.size()) at[--place] = 0;
      if (place == 0) return;
    }
  }

 private:
  void add_combination(const std::vector<Choice>& choices, const std::vector<size_t>& at) {
    Configuration configuration{++number_, {}};
    std::string words;
    for (size_t i = 0; i < choices.size(); ++i) {
      const options::Option& option = *choices[i].option;
      const options::Value& value = choices[i].values[at[i]];
      configuration.settings.set(option, value, options::Source::kConfigFile);
      if (choices[i].values.size() > 1) {
        words +=
            (words.empty() ? "" : " ") + std::string(option.name) + "=" + options::to_text(value);
      }
    }
    std::string reason = reason_to_skip(sweep_, configuration.settings);
    if (reason.empty() && !seen_.insert(identity(configuration.settings)).second) {
      reason = "the same as an earlier one";
    }
    if (reason.empty()) {
      expansion_.configurations.push_back(std::move(configuration));
    } else {
      expansion_.skipped.push_back({number_, words, reason});
    }
  }

  static std::string identity(const options::Settings& settings) {
    return options::key_up_to(options::Level::kQuantized, settings);
  }

  const Sweep& sweep_;
  Expansion& expansion_;
  std::set<std::string> seen_;
  int64_t number_ = 0;
};

}  // namespace

Expansion expand(const Sweep& sweep, const options::Settings& command_line) {
  Expansion expansion;
  Expander expander(sweep, expansion);
  const std::vector<Choice> given = given_choices(command_line);
  std::vector<std::vector<Choice>> choices;
  for (const std::vector<Choice>& model : sweep.models) {
    choices.push_back(merged(merged(sweep.options, model), given));
  }
  check_count(choices);
  for (const std::vector<Choice>& each : choices) expander.add(each);
  for (const Choice& choice : merged(sweep.options, given)) {
    if (choice.values.size() > 1) expansion.swept.push_back(choice.option->name);
  }
  if (expansion.configurations.empty()) {
    throw ConfigError("the sweep has no valid combination; the first is skipped because " +
                      expansion.skipped.front().reason);
  }
  return expansion;
}

std::vector<size_t> tree_order(const std::vector<Configuration>& configurations) {
  using Key = std::function<std::string(const options::Settings&)>;
  const auto up_to = [](options::Level level) -> Key {
    return
        [level](const options::Settings& settings) { return options::key_up_to(level, settings); };
  };
  const std::array<Key, 4> keys = {
      up_to(options::Level::kModel), up_to(options::Level::kPreparation),
      up_to(options::Level::kCalibrationImages), options::key_without_activations};
  std::vector<std::array<size_t, keys.size()>> branches(configurations.size());
  for (size_t level = 0; level < keys.size(); ++level) {
    std::map<std::string, size_t> by_appearance;
    for (size_t i = 0; i < configurations.size(); ++i) {
      const std::string key = keys[level](configurations[i].settings);
      branches[i][level] = by_appearance.emplace(key, by_appearance.size()).first->second;
    }
  }
  std::vector<size_t> order(configurations.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return branches[a] < branches[b]; });
  return order;
}

}  // namespace ptq::sweep
