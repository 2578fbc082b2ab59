#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>

#include "options/option.h"

namespace ptq::options {

/// Who chose a value. A later one overrides an earlier one.
/// kPreset: a word of another option stands for it (options/presets.h).
enum class Source { kDefault, kPreset, kConfigFile, kCommandLine };

/// A value for every option of the table. Asking for a name that is not in the table, or for
/// another type than the table says, throws InternalError.
class Settings {
 public:
  /// All defaults.
  Settings();

  /// Does nothing if a stronger source has spoken. Where the option is a preset, sets what it
  /// stands for as well, and takes back what another word of it had set.
  void set(const Option& option, Value value, Source source);

  /// Whether somebody chose this value itself, and not a preset.
  bool given(std::string_view name) const;

  const Value& value(std::string_view name) const;
  bool is_none(std::string_view name) const;
  bool is_on(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  const std::vector<double>& numbers(std::string_view name) const;

  /// Empty for None.
  std::vector<std::string> texts(std::string_view name) const;

  std::optional<std::string> text_or_none(std::string_view name) const;
  std::optional<int64_t> integer_or_none(std::string_view name) const;

  /// What the word in force stands for, as the option's row says. Throws InternalError where the
  /// row says nothing, or of another type.
  template <class Choice>
  Choice choice(std::string_view name) const {
    return static_cast<Choice>(meaning(name, typeid(Choice)));
  }

 private:
  struct Entry {
    Value value;
    Source source = Source::kDefault;
  };
  const Entry& entry(std::string_view name) const;
  void apply_preset(const Option& option);
  int meaning(std::string_view name, std::type_index type) const;
  template <class T>
  const T& get(std::string_view name) const;

  std::map<std::string_view, Entry> entries_;
};

/// Values of a YAML file: a mapping from option names, with dashes or underscores, to scalars, or
/// to lists where an option takes several. The same checks as on the command line apply. Throws
/// ConfigError naming file and key for: a file that cannot be read or is no mapping, an unknown or
/// repeated key, and whatever parse_value refuses.
void read_config_file(const std::string& path, Settings& settings);

/// What the command line asks for.
struct CommandLine {
  /// Text to print instead of running: help or version. Empty for a run.
  std::string answer;
  Settings settings;
};

/// Flags over --config file over defaults. Throws ConfigError for an unknown flag (naming one that
/// looks like it), a flag that is repeated, and whatever parse_value and read_config_file refuse.
CommandLine parse_command_line(int argc, const char* const* argv);

/// Throws ConfigError with the reason for options that do not go together (docs/combinations.md),
/// and for minifloats whose bits do not add up. Looks at no file.
void check_combinations(const Settings& settings);

/// The twenty options of a first run, in 80 columns.
std::string help_text();

/// The options of one topic, with choices and defaults. Throws ConfigError for a topic that does
/// not exist.
std::string help_text(const std::string& topic);

/// Every option by group, with choices and default.
std::string whole_help_text();

/// Program and library versions, one line.
std::string version_text();

/// Of this project alone.
std::string program_version();

}  // namespace ptq::options
