#include "cli/compare_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "base/atomic_file.h"
#include "eval/compare.h"
#include "eval/gate/junit.h"
#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

struct CompareCommand {
  std::string old_file, new_file;
  double max_drop = 0.5;
  double confidence = 95;
  std::string junit;
};

void declare(CLI::App& app, CompareCommand& command) {
  app.add_option("old", command.old_file, "Results (CSV) or predictions to compare with")
      ->required();
  app.add_option("new", command.new_file, "The same for the runs to judge")->required();
  app.add_option("--max-drop", command.max_drop, "Largest acceptable drop, in points of top-1")
      ->check(CLI::Range(0.0, 99.0))
      ->capture_default_str();
  app.add_option("--confidence", command.confidence,
                 "Confidence of a pass or fail, in percent (Holm's procedure for many rows)")
      ->check(CLI::Range(50.1, 99.9999))
      ->capture_default_str();
  app.add_option("--junit", command.junit, "JUnit XML file for the verdicts");
  app.footer("Exit code: 0 pass, 1 fail, 2 inconclusive; others say what is wrong with the input.");
}

void print(const eval::TableComparison& comparison) {
  size_t longest = 0;
  for (const eval::ComparisonRow& row : comparison.rows)
    longest = std::max(longest, row.name.size());
  for (const eval::ComparisonRow& row : comparison.rows) {
    std::string verdict = eval::word(row.verdict);
    verdict.resize(std::string(eval::word(eval::Verdict::kInconclusive)).size(), ' ');
    std::cout << verdict << "  " << row.name << std::string(longest - row.name.size(), ' ') << "  "
              << row.words << "\n";
  }
  for (const std::string& name : comparison.only_new) std::cout << "new           " << name << "\n";
  std::cout << eval::word(comparison.verdict()) << std::endl;
}

std::vector<eval::JUnitCase> cases_of(const eval::TableComparison& comparison) {
  std::vector<eval::JUnitCase> cases;
  for (const eval::ComparisonRow& row : comparison.rows) {
    cases.push_back({"top-1 drop", row.name, 0, row.verdict, row.words});
  }
  return cases;
}

ExitCode code_of(eval::Verdict verdict) {
  if (verdict == eval::Verdict::kPass) return ExitCode::kSuccess;
  return verdict == eval::Verdict::kFail ? ExitCode::kGateFailed : ExitCode::kGateInconclusive;
}

}  // namespace

ExitCode run_compare(int argc, const char* const* argv) {
  CLI::App app("Tells whether accuracy dropped from one table of results to another",
               "ptq_compare");
  CompareCommand command;
  declare(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return ExitCode::kSuccess;
  } catch (const CLI::ParseError& error) {
    throw ConfigError(error.what());
  }
  if (!command.junit.empty()) require_writable(command.junit);
  const eval::TableComparison comparison = eval::compare_files(
      command.old_file, command.new_file, {command.max_drop / 100, command.confidence / 100});
  print(comparison);
  if (!command.junit.empty()) eval::write_junit(command.junit, "ptq_compare", cases_of(comparison));
  return code_of(comparison.verdict());
}

}  // namespace ptq::cli
