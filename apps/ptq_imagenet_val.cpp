#include <iostream>

#include "cli/program_main.h"
#include "cli/run.h"
#include "cli/terminal_log.h"
#include "options/settings.h"

namespace {

int evaluate(int argc, const char* const* argv) {
  const ptq::options::CommandLine line = ptq::options::parse_command_line(argc, argv);
  if (!line.answer.empty()) {
    std::cout << line.answer;
    return 0;
  }
  ptq::cli::TerminalLog log;
  const ptq::cli::RunResult result = ptq::cli::run(line.settings, log);
  const ptq::ExitCode code = ptq::cli::exit_code(result);
  if (code == ptq::ExitCode::kSuccess) return 0;
  const bool failed = code == ptq::ExitCode::kGateFailed;
  return ptq::cli::fail(
      code, (failed ? "the gate failed: " : "the gate cannot tell: ") + result.verdict_words);
}

}  // namespace

int main(int argc, char** argv) {
  return ptq::cli::program_main([&] { return evaluate(argc, argv); });
}
