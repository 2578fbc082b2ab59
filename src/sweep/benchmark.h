#pragma once

#include "ptq/base/log.h"

namespace ptq::sweep {

/// The program ptq_benchmark (docs/benchmark.md): runs the sweep of a YAML file, or merges tables,
/// and writes results.csv, best_configs.csv, skipped.csv, results.md, results.html and
/// best_configs.html. Help and version go to `log`. Throws ptq::Error.
void benchmark(int argc, const char* const* argv, Log& log);

}  // namespace ptq::sweep
