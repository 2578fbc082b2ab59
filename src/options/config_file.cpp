#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/input_file.h"
#include "options/parse_yaml.h"
#include "options/settings.h"
#include "ptq/base/error.h"

namespace ptq::options {
namespace {

const Option& option_of_key(const std::string& written, std::set<std::string_view>& seen) {
  std::string key = written;
  std::replace(key.begin(), key.end(), '_', '-');
  const Option* option = find_option(key);
  if (option == nullptr) throw ConfigError("no option is named '" + written + "'");
  if (key == "config") throw ConfigError("a configuration file cannot name another one");
  if (!seen.insert(option->name).second) {
    throw ConfigError("'" + written + "' is there twice");
  }
  return *option;
}

std::vector<std::string> words_of(const Option& option, const YAML::Node& node) {
  if (node.IsNull()) return {"None"};
  if (node.IsScalar()) return {node.Scalar()};
  std::vector<std::string> words;
  if (node.IsSequence()) {
    for (const YAML::Node& element : node) {
      if (element.IsScalar()) words.push_back(element.Scalar());
    }
  }
  if (words.empty() || words.size() != node.size()) {
    throw ConfigError("--" + std::string(option.name) + " takes a value, not a structure");
  }
  return words;
}

void read_entries(const YAML::Node& root, Settings& settings) {
  if (root.IsNull()) return;
  if (!root.IsMap()) throw ConfigError("it must hold lines of the form `option: value`");
  std::set<std::string_view> seen;
  for (const auto& entry : root) {
    if (!entry.first.IsScalar()) throw ConfigError("a key must be the name of an option");
    const Option& option = option_of_key(entry.first.Scalar(), seen);
    settings.set(option, parse_value(option, words_of(option, entry.second)), Source::kConfigFile);
  }
}

}  // namespace

void read_config_file(const std::string& path, Settings& settings) {
  const InputText text = read_input(path, kMostYaml);
  if (!text.obstacle.empty()) throw ConfigError("--config: " + path + " " + text.obstacle);
  try {
    read_entries(parse_yaml(text.bytes), settings);
  } catch (const ConfigError& error) {
    throw ConfigError(path + ": " + error.what());
  }
}

}  // namespace ptq::options
