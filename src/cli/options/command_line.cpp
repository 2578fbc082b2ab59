#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <deque>
#include <numeric>

#include "ptq/base/error.h"
#include "ptq/cli/settings.h"

namespace ptq::cli {
namespace {

/// What was typed for one option; a deque of these keeps addresses that CLI11 can write to.
struct Typed {
  const Option* option = nullptr;
  std::vector<std::string> words;
  bool on = false;
  bool off = false;
};

int words_of(const Option& option) { return option.type == ValueType::kNumbers ? 3 : 1; }

void declare(CLI::App& app, Typed& typed) {
  const Option& option = *typed.option;
  const std::string flag = "--" + std::string(option.name);
  if (option.type == ValueType::kSwitch) {
    app.add_flag(flag, typed.on);
  } else if (option.type == ValueType::kOnOff) {
    CLI::Option* on = app.add_flag(flag, typed.on);
    app.add_flag("--no-" + std::string(option.name), typed.off)->excludes(on);
  } else {
    app.add_option(flag, typed.words)
        ->expected(words_of(option))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

/// Insertions, deletions and substitutions between two words.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

[[noreturn]] void refuse_unknown(const std::string& argument) {
  if (argument.rfind("--", 0) != 0) throw ConfigError("unexpected argument '" + argument + "'");
  const std::string flag = argument.substr(0, argument.find('='));
  const std::vector<Option>& table = option_table();
  const auto distance = [&](const Option& option) {
    return edit_distance(flag.substr(2), option.name);
  };
  const auto nearest =
      std::min_element(table.begin(), table.end(),
                       [&](const Option& a, const Option& b) { return distance(a) < distance(b); });
  constexpr size_t kLooksLike = 3;
  throw ConfigError("unknown flag " + flag +
                    (distance(*nearest) <= kLooksLike
                         ? "; did you mean --" + std::string(nearest->name) + "?"
                         : "; --help lists all flags"));
}

void parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string message = error.what();
    throw ConfigError(message.substr(0, message.find(':')) + " lacks its value");
  } catch (const CLI::ParseError& error) {
    throw ConfigError(error.what());
  }
  const std::vector<std::string> unknown = app.remaining();
  if (!unknown.empty()) refuse_unknown(unknown.front());
}

void apply(const Typed& typed, Settings& settings) {
  const Option& option = *typed.option;
  if (typed.on || typed.off) {
    settings.set(option, parse_value(option, {typed.on ? "on" : "off"}), Source::kCommandLine);
  } else if (!typed.words.empty()) {
    if (option.type != ValueType::kTexts &&
        static_cast<int>(typed.words.size()) > words_of(option)) {
      throw ConfigError("--" + std::string(option.name) + " is given twice");
    }
    settings.set(option, parse_value(option, typed.words), Source::kCommandLine);
  }
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  bool help = false;
  bool version = false;
  app.add_flag("-h,--help", help);
  app.add_flag("--version", version);
  std::deque<Typed> typed;
  for (const Option& option : option_table()) {
    typed.push_back({&option, {}, false, false});
    declare(app, typed.back());
  }
  parse(app, argc, argv);
  CommandLine line;
  if (help) line.answer = help_text();
  if (version) line.answer = version_text();
  if (!line.answer.empty()) return line;
  for (const Typed& each : typed) apply(each, line.settings);
  if (const auto file = line.settings.text_or_none("config")) {
    read_config_file(*file, line.settings);
  }
  return line;
}

}  // namespace ptq::cli
