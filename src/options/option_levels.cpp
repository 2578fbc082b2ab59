#include "options/option_levels.h"

namespace ptq::options {

Level level_of(std::string_view option) {
  const Option* row = find_option(option);
  return row == nullptr ? Level::kModel : row->level;
}

// A default is told from the same value given: --model-name also says the recipe only if given.
std::string key_up_to(Level level, const Settings& settings) {
  std::string key;
  for (const Option& option : option_table()) {
    if (option.level > level) continue;
    key += std::string(option.name) + (settings.given(option.name) ? "=" : "~") +
           to_text(settings.value(option.name)) + "\n";
  }
  return key;
}

}  // namespace ptq::options
