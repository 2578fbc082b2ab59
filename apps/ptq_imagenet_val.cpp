#include <exception>
#include <iostream>
#include <new>

#include "ptq/base/error.h"
#include "ptq/base/first_sentence.h"
#include "ptq/cli/run.h"
#include "ptq/cli/settings.h"
#include "ptq/cli/terminal_log.h"

namespace {

int fail(ptq::ExitCode code, const std::string& message) {
  std::cerr << "error: " << message << std::endl;
  return static_cast<int>(code);
}

int evaluate(int argc, const char* const* argv) {
  const ptq::cli::CommandLine line = ptq::cli::parse_command_line(argc, argv);
  if (!line.answer.empty()) {
    std::cout << line.answer;
    return 0;
  }
  ptq::cli::TerminalLog log;
  const ptq::cli::RunResult result = ptq::cli::run(line.settings, log);
  const ptq::ExitCode code = ptq::cli::exit_code(result);
  if (code == ptq::ExitCode::kSuccess) return 0;
  const bool failed = code == ptq::ExitCode::kGateFailed;
  return fail(code,
              (failed ? "the gate failed: " : "the gate cannot tell: ") + result.verdict_words);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return evaluate(argc, argv);
  } catch (const ptq::Error& error) {
    return fail(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ptq::ExitCode::kInternal, "out of memory");
  } catch (const std::exception& error) {
    return fail(ptq::ExitCode::kInternal, "this should not happen: " + ptq::first_sentence(error));
  }
}
