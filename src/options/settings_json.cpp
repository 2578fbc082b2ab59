#include "options/settings_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ptq::options {
namespace {

using nlohmann::json;

json to_json(const Value& value) {
  return std::visit(
      [](const auto& held) -> json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

std::string key_of(std::string_view name) {
  std::string key(name);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

/// As a shell reads it back.
std::string shell_word(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// The words that an option takes; a text is one word, three numbers are three.
std::string value_words(const Option& option, const Value& value) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    std::string words;
    for (const std::string& each : *texts) {
      words += (words.empty() ? "" : " --" + std::string(option.name) + " ") + shell_word(each);
    }
    return words;
  }
  const std::string text = to_text(value);
  return option.type == ValueType::kNumbers ? text : shell_word(text);
}

}  // namespace

json config_json(const Settings& settings) {
  json all = json::object();
  for (const Option& option : option_table()) {
    if (option.name != "config") all[key_of(option.name)] = to_json(settings.value(option.name));
  }
  return all;
}

std::string command_of(const Settings& settings) {
  std::string command = "ptq_imagenet_val";
  for (const Option& option : option_table()) {
    if (!settings.given(option.name) || option.name == "config") continue;
    const std::string flag = std::string(option.name);
    const Value& value = settings.value(option.name);
    if (const bool* on = std::get_if<bool>(&value)) {
      if (*on || option.type == ValueType::kOnOff) command += (*on ? " --" : " --no-") + flag;
      continue;
    }
    command += " --" + flag + " " + value_words(option, value);
  }
  return command;
}

}  // namespace ptq::options
