#pragma once

#include <functional>
#include <string>

#include "ptq/base/error.h"

namespace ptq::cli {

/// What every main returns: what `program` returns or, if it throws, the exit code of the exception
/// (docs/exit-codes.md), with one line on standard error.
int program_main(const std::function<int()>& program) noexcept;

/// Prints "error: MESSAGE" on standard error and returns the code.
int fail(ExitCode code, const std::string& message);

}  // namespace ptq::cli
