#include "sweep/benchmark.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "base/text.h"
#include "ptq/base/error.h"
#include "sweep/arguments.h"
#include "sweep/merge.h"
#include "sweep/results.h"
#include "sweep/search.h"
#include "sweep/tables.h"

namespace ptq::sweep {
namespace {

namespace fs = std::filesystem;

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw OutputError("--output " + path + ": " + error.message());
}

void print_lines(const std::string& text, Log& log) {
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find('\n', start), text.size());
    log.line(text.substr(start, end - start));
    start = end + 1;
  }
}

void say_what_is_there(const Expansion& expansion, Log& log) {
  log.line(std::to_string(expansion.configurations.size()) + " configurations, " +
           std::to_string(expansion.skipped.size()) + " combinations skipped");
}

void list(const Expansion& expansion, Log& log) {
  for (const Skipped& skipped : expansion.skipped) {
    log.line("skipped " + std::to_string(skipped.number) + ": " + skipped.combination + ": " +
             skipped.reason);
  }
  for (const Configuration& configuration : expansion.configurations) {
    std::string line =
        "runs " + std::to_string(configuration.number) + ": " + model_label(configuration.settings);
    for (const std::string_view option : expansion.swept) {
      line +=
          " " + std::string(option) + "=" + options::to_text(configuration.settings.value(option));
    }
    log.line(line);
  }
}

/// A sweep is good as far as it came; one of which nothing came is not.
void require_one_result(const TextTable& results) {
  if (results.rows.empty()) return;
  for (const auto& row : results.rows) {
    if (!is_failed(results, row)) return;
  }
  throw QuantizationError(
      "all " + std::to_string(results.rows.size()) +
      " configurations failed; the first: " + results.cell(results.rows.front(), "error"));
}

void find_best(const Arguments& arguments, const Expansion& expansion, Log& log) {
  const SweepOptions& options = arguments.options;
  const SearchReport report = search(expansion, options, arguments.held_out, real_world(log), log);
  write_tables(options.output, report.results, expansion.skipped);
  const std::string path = (fs::path(options.output) / "winner.yaml").string();
  write_winner(path, report);
  log.line("winner: configuration " + std::to_string(report.winner.number) + ", in " + path +
           "; of those left " + std::to_string(report.as_good) +
           " others are as good as far as chance allows");
  log.line("top-1 on the " + std::to_string(report.held_out_images) +
           " images that the search on " + std::to_string(report.search_images) +
           " others did not use: " +
           percent(static_cast<double>(report.held_out_correct) /
                       static_cast<double>(report.held_out_images),
                   3) +
           " (" + std::to_string(report.held_out_correct) + ")");
}

void sweep(const Arguments& arguments, Log& log) {
  Sweep file = read_sweep_file(arguments.sweep_file);
  if (arguments.search) file = with_free_techniques(std::move(file));
  const Expansion expansion = expand(file, arguments.settings);
  say_what_is_there(expansion, log);
  if (arguments.command == Command::kList) return list(expansion, log);
  const SweepOptions& options = arguments.options;
  make_folder(options.output);
  if (arguments.search) return find_best(arguments, expansion, log);
  const SweepReport report = run_sweep(expansion, options, real_world(log), log);
  if (report.left > 0) {
    log.line("time is up: " + std::to_string(report.left) +
             " configurations are left; the same command continues with them");
  }
  if (!options.shard.is_whole()) {
    log.line("shard done: " + journal_name(options.shard) + " in " + options.output);
    return require_one_result(report.results);
  }
  write_tables(options.output, report.results, expansion.skipped);
  log.line("tables are in " + options.output +
           ": results.csv, best_configs.csv, skipped.csv, "
           "results.md, results.html, best_configs.html");
  require_one_result(report.results);
}

void merge(const Arguments& arguments, Log& log) {
  const TextTable results = merge_tables(arguments.tables);
  make_folder(arguments.options.output);
  write_tables(arguments.options.output, results, {});
  log.line(std::to_string(results.rows.size()) + " rows in " + arguments.options.output);
}

}  // namespace

void benchmark(int argc, const char* const* argv, Log& log) {
  const Arguments arguments = parse_arguments(argc, argv);
  switch (arguments.command) {
    case Command::kHelp:
      return print_lines(help_text(), log);
    case Command::kVersion:
      return print_lines(options::version_text(), log);
    case Command::kMerge:
      return merge(arguments, log);
    case Command::kSweep:
    case Command::kList:
      return sweep(arguments, log);
  }
}

}  // namespace ptq::sweep
