#pragma once

#include <string>
#include <utility>
#include <vector>

#include "options/settings.h"

namespace ptq::options {

using Choices = std::vector<std::pair<std::string, std::string>>;

/// Settings as if these had been typed.
inline Settings settings_of(const Choices& choices) {
  Settings settings;
  for (const auto& [name, word] : choices) {
    const Option& option = *find_option(name);
    settings.set(option, parse_value(option, {word}), Source::kCommandLine);
  }
  return settings;
}

}  // namespace ptq::options
