#pragma once

#include <string>
#include <vector>

namespace ptq::support {

/// How a program ended and what it printed.
struct ProgramResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

/// Runs a program with these arguments, without a shell and without a terminal, and waits for it.
/// `exit_code` is 128 and the signal's number if a signal ended it.
ProgramResult run_program(const std::string& path, const std::vector<std::string>& arguments);

}  // namespace ptq::support
