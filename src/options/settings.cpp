#include "options/settings.h"

#include "options/presets.h"
#include "ptq/base/error.h"

namespace ptq::options {

Settings::Settings() {
  for (const Option& option : option_table()) {
    entries_[option.name] = {default_value(option), Source::kDefault};
  }
}

void Settings::set(const Option& option, Value value, Source source) {
  Entry& entry = entries_.at(option.name);
  if (entry.source > source) return;
  entry = {std::move(value), source};
  apply_preset(option);
}

void Settings::apply_preset(const Option& option) {
  for (const std::string_view name : options_of_presets(option)) {
    Entry& entry = entries_.at(name);
    if (entry.source == Source::kPreset)
      entry = {default_value(*find_option(name)), Source::kDefault};
  }
  for (const auto& [name, word] : preset(option, value(option.name))) {
    const Option& other = *find_option(name);
    set(other, parse_value(other, {std::string(word)}), Source::kPreset);
  }
}

const Settings::Entry& Settings::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw InternalError("no option is named " + std::string(name));
  return found->second;
}

template <class T>
const T& Settings::get(std::string_view name) const {
  const T* held = std::get_if<T>(&entry(name).value);
  if (held == nullptr) {
    throw InternalError("option " + std::string(name) +
                        " holds another type: " + to_text(entry(name).value));
  }
  return *held;
}

bool Settings::given(std::string_view name) const { return entry(name).source > Source::kPreset; }
const Value& Settings::value(std::string_view name) const { return entry(name).value; }
bool Settings::is_none(std::string_view name) const {
  return std::holds_alternative<std::monostate>(entry(name).value);
}
bool Settings::is_on(std::string_view name) const { return get<bool>(name); }
int64_t Settings::integer(std::string_view name) const { return get<int64_t>(name); }
double Settings::number(std::string_view name) const { return get<double>(name); }
const std::string& Settings::text(std::string_view name) const { return get<std::string>(name); }
const std::vector<double>& Settings::numbers(std::string_view name) const {
  return get<std::vector<double>>(name);
}

std::vector<std::string> Settings::texts(std::string_view name) const {
  if (is_none(name)) return {};
  return get<std::vector<std::string>>(name);
}

std::optional<int64_t> Settings::integer_or_none(std::string_view name) const {
  if (is_none(name)) return std::nullopt;
  return integer(name);
}

int Settings::meaning(std::string_view name, std::type_index type) const {
  const std::string& word = text(name);
  const Option& option = *find_option(name);
  for (size_t i = 0; i < option.choices.size() && option.choice_type == type; ++i) {
    if (option.choices[i] == word) return option.meanings.at(i);
  }
  throw InternalError("--" + std::string(name) + " " + word + " stands for nothing");
}

std::optional<std::string> Settings::text_or_none(std::string_view name) const {
  if (is_none(name)) return std::nullopt;
  return text(name);
}

}  // namespace ptq::options
