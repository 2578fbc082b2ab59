#pragma once

#include "ptq/base/error.h"

namespace ptq::cli {

/// ptq_compare: parses the command line, compares two files (eval/compare.h), prints a line a
/// row and the verdict on standard output, and writes the JUnit file asked for. Throws ptq::Error.
ExitCode run_compare(int argc, const char* const* argv);

}  // namespace ptq::cli
