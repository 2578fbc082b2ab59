#include <exception>
#include <iostream>
#include <new>

#include "ptq/base/error.h"
#include "ptq/base/first_sentence.h"
#include "ptq/bench/benchmark.h"
#include "ptq/cli/terminal_log.h"

namespace {

int fail(ptq::ExitCode code, const std::string& message) {
  std::cerr << "error: " << message << std::endl;
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    ptq::cli::TerminalLog log;
    ptq::bench::benchmark(argc, argv, log);
    return 0;
  } catch (const ptq::Error& error) {
    return fail(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ptq::ExitCode::kInternal, "out of memory");
  } catch (const std::exception& error) {
    return fail(ptq::ExitCode::kInternal, "this should not happen: " + ptq::first_sentence(error));
  }
}
