#include "sweep/arguments.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "ptq/base/error.h"

namespace ptq::sweep {
namespace {

using Words = std::vector<std::string>;

/// Takes this program's own flags out of the words; the rest is ptq_imagenet_val's.
class Taker {
 public:
  explicit Taker(Words words) : words_(std::move(words)) {}

  bool take_switch(const std::string& flag) {
    const auto found = std::find(words_.begin(), words_.end(), flag);
    if (found == words_.end()) return false;
    words_.erase(found);
    require_once(flag);
    return true;
  }

  std::optional<std::string> take_value(const std::string& flag) {
    const auto found = std::find(words_.begin(), words_.end(), flag);
    if (found == words_.end()) return std::nullopt;
    const auto value = found + 1;
    if (value == words_.end() || value->rfind("--", 0) == 0) {
      throw ConfigError(flag + " lacks its value");
    }
    std::string text = *value;
    words_.erase(found, value + 1);
    require_once(flag);
    return text;
  }

  /// What stands before the first flag.
  Words take_front() {
    const auto flag = std::find_if(words_.begin(), words_.end(),
                                   [](const std::string& word) { return word[0] == '-'; });
    Words front(words_.begin(), flag);
    words_.erase(words_.begin(), flag);
    return front;
  }

  const Words& rest() const { return words_; }

 private:
  void require_once(const std::string& flag) const {
    if (std::find(words_.begin(), words_.end(), flag) == words_.end()) return;
    throw ConfigError(flag + " is given twice");
  }

  Words words_;
};

double held_out_share(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0 && value < 1) {
    return value;
  }
  throw ConfigError("--held-out must lie between 0 and 1, not " + text);
}

double seconds(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0) return value;
  throw ConfigError("--time-budget must be above 0 seconds, not " + text);
}

options::Settings settings_of(const Words& words) {
  std::vector<const char*> argv = {"ptq_benchmark"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  options::Settings settings =
      options::parse_command_line(static_cast<int>(argv.size()), argv.data()).settings;
  for (const options::Option& option : options::option_table()) {
    const bool is_forbidden = option.group == options::Group::kOutput || option.name == "config" ||
                              option.name == "skip-float" || option.name == "validation-skip" ||
                              option.name == "verify-determinism";
    if (is_forbidden && settings.given(option.name)) {
      throw ConfigError("--" + std::string(option.name) + " is for single runs");
    }
  }
  return settings;
}

Arguments parse_merge(Taker& taker) {
  Arguments arguments;
  arguments.command = Command::kMerge;
  const auto output = taker.take_value("--output");
  arguments.tables = taker.take_front();
  if (!taker.rest().empty()) {
    throw ConfigError(taker.rest().front() + " cannot be combined with --merge");
  }
  if (arguments.tables.empty()) throw ConfigError("--merge needs tables: --merge A.csv B.csv");
  if (!output) throw ConfigError("--merge needs --output DIR");
  arguments.options.output = *output;
  return arguments;
}

std::string sweep_file(Taker& taker) {
  const Words front = taker.take_front();
  if (front.size() == 1) return front.front();
  throw ConfigError(front.empty() ? "the sweep file is missing: ptq_benchmark SWEEP.yaml"
                                  : "unexpected argument '" + front[1] + "'");
}

}  // namespace

Arguments parse_arguments(int argc, const char* const* argv) {
  Taker taker(Words(argv + std::min(argc, 1), argv + argc));
  Arguments arguments;
  if (taker.take_switch("--help") || taker.take_switch("-h")) {
    arguments.command = Command::kHelp;
    return arguments;
  }
  if (taker.take_switch("--version")) {
    arguments.command = Command::kVersion;
    return arguments;
  }
  if (taker.take_switch("--merge")) return parse_merge(taker);
  SweepOptions& options = arguments.options;
  if (taker.take_switch("--list")) arguments.command = Command::kList;
  options.output = taker.take_value("--output").value_or("benchmark");
  if (const auto shard = taker.take_value("--shard")) options.shard = parse_shard(*shard);
  if (const auto budget = taker.take_value("--time-budget")) options.time_budget = seconds(*budget);
  options.retry_failed = taker.take_switch("--retry-failed");
  options.halving = taker.take_switch("--halving");
  arguments.search = taker.take_switch("--search");
  const auto held_out = taker.take_value("--held-out");
  if (held_out && !arguments.search) throw ConfigError("--held-out is for --search");
  if (held_out) arguments.held_out = held_out_share(*held_out);
  if (arguments.search && options.halving) {
    throw ConfigError("--search halves by itself: leave out --halving");
  }
  options.save_predictions = taker.take_switch("--save-predictions");
  options.save_quantizers = taker.take_switch("--save-quantizers");
  arguments.sweep_file = sweep_file(taker);
  arguments.settings = settings_of(taker.rest());
  return arguments;
}

std::string help_text() {
  return R"(ptq_benchmark SWEEP.yaml [flags]
ptq_benchmark --merge A.csv B.csv ... --output DIR

Runs every configuration of a sweep (docs/benchmark.md) and writes tables. A sweep that was stopped
goes on where it was: the same command again.

  --output DIR         folder for tables and the journal (default: benchmark)
  --list               say what would run and what is skipped, and why; run nothing
  --shard I/N          run the Ith of N parts; tables come from --merge
  --retry-failed       run configurations again that failed before
  --halving            rank on growing subsets of the images, evaluate the best on all
  --time-budget S      begin no configuration after S seconds
  --search             find the best configuration in the time there is; options that the file does
                       not name are free; the winner is written to winner.yaml
  --held-out SHARE     part of the validation images that only the winner sees (default: 0.5)
  --save-predictions   keep a file of predictions a configuration
  --save-quantizers    keep a file of scales a configuration
  --merge              make one table of several
  --help, --version

All other flags are those of ptq_imagenet_val, and go over the file's values.
)";
}

}  // namespace ptq::sweep
