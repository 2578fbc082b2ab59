#include "sweep/sweep_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/input_file.h"
#include "options/parse_yaml.h"
#include "ptq/base/error.h"

namespace ptq::sweep {
namespace {

using options::Option;
using options::ValueType;

YAML::Node load(const std::string& path) {
  const InputText text = read_input(path, kMostYaml);
  if (!text.obstacle.empty()) throw ConfigError("it " + text.obstacle);
  return options::parse_yaml(text.bytes);
}

/// The sweep decides where results go.
bool is_forbidden(const Option& option) {
  static const std::set<std::string_view> names = {"config", "skip-float", "validation-skip",
                                                   "verify-determinism"};
  return option.group == options::Group::kOutput || names.count(option.name) != 0;
}

const Option& option_of_key(const std::string& written) {
  std::string key = written;
  std::replace(key.begin(), key.end(), '_', '-');
  const Option* option = options::find_option(key);
  if (option == nullptr) throw ConfigError("no option is named '" + written + "'");
  if (is_forbidden(*option)) throw ConfigError("'" + written + "' cannot be part of a sweep");
  return *option;
}

bool takes_several(const Option& option) {
  return option.type == ValueType::kNumbers || option.type == ValueType::kTexts;
}

/// One value: a scalar, or the scalars of a list.
options::Value value_of(const Option& option, const YAML::Node& node) {
  std::vector<std::string> words;
  if (node.IsNull()) words = {"None"};
  if (node.IsScalar()) words = {node.Scalar()};
  if (node.IsSequence() && takes_several(option)) {
    for (const YAML::Node& element : node) {
      if (element.IsScalar()) words.push_back(element.Scalar());
    }
    if (words.size() != node.size()) words.clear();
  }
  if (words.empty()) throw ConfigError("a value is needed, not a structure");
  return options::parse_value(option, words);
}

/// Whether the list is one of values: of lists, for options that take several words.
bool is_list_of_values(const Option& option, const YAML::Node& node) {
  if (!node.IsSequence()) return false;
  if (!takes_several(option)) return true;
  return node.size() > 0 && node[0].IsSequence();
}

Choice choice_of(const std::string& key, const YAML::Node& node) {
  Choice choice{&option_of_key(key), {}};
  try {
    if (!is_list_of_values(*choice.option, node)) {
      choice.values.push_back(value_of(*choice.option, node));
      return choice;
    }
    if (node.size() > kMostCombinations) {
      throw ConfigError("it has " + std::to_string(node.size()) + " values, more than the " +
                        std::to_string(kMostCombinations) + " combinations of one sweep");
    }
    std::set<options::Value> known;
    for (const YAML::Node& element : node) {
      options::Value value = value_of(*choice.option, element);
      if (!known.insert(value).second) {
        throw ConfigError(options::to_text(value) + " is there twice");
      }
      choice.values.push_back(std::move(value));
    }
    if (choice.values.empty()) throw ConfigError("an empty list of values");
  } catch (const ConfigError& error) {
    throw ConfigError("'" + key + "': " + error.what());
  }
  return choice;
}

std::string key_of(const YAML::Node& node) {
  if (!node.IsScalar()) throw ConfigError("a key must be the name of an option");
  return node.Scalar();
}

std::vector<Choice> choices_of(const YAML::Node& map) {
  if (!map.IsMap()) throw ConfigError("it needs lines of the form `option: value`");
  std::vector<Choice> choices;
  for (const auto& entry : map) {
    const std::string key = key_of(entry.first);
    Choice choice = choice_of(key, entry.second);
    for (const Choice& other : choices) {
      if (other.option == choice.option) throw ConfigError("'" + key + "' is there twice");
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

/// A name that holds a dot or a slash is a file's.
std::vector<Choice> model_of(const YAML::Node& node) {
  if (node.IsScalar()) {
    const std::string& word = node.Scalar();
    const bool is_file = word.find_first_of("./") != std::string::npos;
    return {choice_of(is_file ? "model" : "model-name", node)};
  }
  std::vector<Choice> choices = choices_of(node);
  for (const Choice& choice : choices) {
    if (choice.values.size() == 1) continue;
    throw ConfigError("'" + std::string(choice.option->name) +
                      "' has several values, which belong under `options`");
  }
  return choices;
}

Exclusion exclusion_of(const YAML::Node& node) {
  if (!node.IsMap() || node.size() == 0) throw ConfigError("options and values are needed");
  Exclusion exclusion{{}, "excluded by the sweep file"};
  for (const auto& entry : node) {
    const std::string key = key_of(entry.first);
    if (key != "because") {
      exclusion.conditions.push_back(choice_of(key, entry.second));
    } else if (entry.second.IsScalar()) {
      exclusion.reason = entry.second.Scalar();
    } else {
      throw ConfigError("'because' takes text");
    }
  }
  if (exclusion.conditions.empty()) throw ConfigError("it names no option");
  return exclusion;
}

template <class Read>
void read_list(const YAML::Node& node, Read&& read) {
  if (!node.IsSequence()) return read(node);
  if (node.size() == 0) throw ConfigError("an empty list");
  for (const YAML::Node& element : node) read(element);
}

void check_exclusions(const std::vector<Exclusion>& exclusions) {
  size_t values = 0;
  for (const Exclusion& exclusion : exclusions) {
    for (const Choice& condition : exclusion.conditions) values += condition.values.size();
  }
  if (values <= kMostExcludedValues) return;
  throw ConfigError("it has " + std::to_string(values) + " values, more than the " +
                    std::to_string(kMostExcludedValues) + " that one sweep may exclude");
}

void read_part(const std::string& key, const YAML::Node& node, Sweep& sweep) {
  if (key == "models") {
    read_list(node, [&](const YAML::Node& each) { sweep.models.push_back(model_of(each)); });
  } else if (key == "options") {
    sweep.options = choices_of(node);
  } else if (key == "exclude") {
    read_list(node,
              [&](const YAML::Node& each) { sweep.exclusions.push_back(exclusion_of(each)); });
    check_exclusions(sweep.exclusions);
  } else {
    throw ConfigError("it is none of models, options, exclude");
  }
}

}  // namespace

Sweep read_sweep_file(const std::string& path) {
  std::string place = path;
  try {
    const YAML::Node root = load(path);
    if (!root.IsMap()) throw ConfigError("`models:` and `options:` are needed");
    Sweep sweep;
    std::set<std::string> seen;
    for (const auto& entry : root) {
      const std::string key = key_of(entry.first);
      place = path + ": '" + key + "'";
      if (!seen.insert(key).second) throw ConfigError("it is there twice");
      read_part(key, entry.second, sweep);
    }
    place = path;
    if (sweep.models.empty()) throw ConfigError("'models' is missing");
    return sweep;
  } catch (const ConfigError& error) {
    throw ConfigError(place + ": " + error.what());
  }
}

}  // namespace ptq::sweep
