#pragma once

#include <string>

#include "report/run_result.h"

namespace ptq::report {

/// The guards and the gate of a run as JUnit test cases. Throws OutputError naming the file.
void write_gate_junit(const std::string& path, const std::string& run_name,
                      const RunResult& result);

}  // namespace ptq::report
