#include "options/option_levels.h"

namespace ptq::options {
namespace {

// A default is told from the same value given: --model-name also says the recipe only if given.
template <class Counts>
std::string key_of(const Settings& settings, Counts&& counts) {
  std::string key;
  for (const Option& option : option_table()) {
    if (!counts(option.level)) continue;
    key += std::string(option.name) + (settings.given(option.name) ? "=" : "~") +
           to_text(settings.value(option.name)) + "\n";
  }
  return key;
}

}  // namespace

Level level_of(std::string_view option) {
  const Option* row = find_option(option);
  return row == nullptr ? Level::kModel : row->level;
}

std::string key_up_to(Level level, const Settings& settings) {
  return key_of(settings, [level](Level each) { return each <= level; });
}

std::string key_without_activations(const Settings& settings) {
  return key_of(settings, [](Level each) { return each != Level::kActivations; });
}

}  // namespace ptq::options
