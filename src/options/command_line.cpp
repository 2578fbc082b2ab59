#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <deque>

#include "options/settings.h"
#include "options/suggestion.h"
#include "ptq/base/error.h"

namespace ptq::options {
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

[[noreturn]] void refuse_unknown(const std::string& argument) {
  if (argument.rfind("--", 0) != 0) throw ConfigError("unexpected argument '" + argument + "'");
  const std::string flag = argument.substr(0, argument.find('='));
  std::vector<std::string_view> names;
  for (const Option& option : option_table()) names.push_back(option.name);
  const std::string_view found = nearest(flag.substr(2), names);
  throw ConfigError("unknown flag " + flag +
                    (found.empty() ? "; --help-all lists all flags"
                                   : "; did you mean --" + std::string(found) + "?"));
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
}

/// What --help asks for: a topic may follow it.
std::string help_answer(const std::vector<std::string>& rest) {
  const bool has_topic = !rest.empty() && rest.front().rfind("-", 0) != 0;
  return has_topic ? help_text(rest.front()) : help_text();
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
  bool help_all = false;
  app.add_flag("-h,--help", help);
  app.add_flag("--help-all", help_all);
  app.add_flag("--version", version);
  std::deque<Typed> typed;
  for (const Option& option : option_table()) {
    typed.push_back({&option, {}, false, false});
    declare(app, typed.back());
  }
  parse(app, argc, argv);
  const std::vector<std::string> rest = app.remaining();
  CommandLine line;
  if (help) line.answer = help_answer(rest);
  if (help_all) line.answer = whole_help_text();
  if (version) line.answer = version_text();
  if (!line.answer.empty()) return line;
  if (!rest.empty()) refuse_unknown(rest.front());
  for (const Typed& each : typed) apply(each, line.settings);
  if (const auto file = line.settings.text_or_none("config")) {
    read_config_file(*file, line.settings);
  }
  return line;
}

}  // namespace ptq::options
