#pragma once

#include "cli/run.h"

namespace ptq::cli {

/// --verify-determinism: the run, then the same with other numbers of threads, workers and images a
/// batch, and hardly any memory for images and activations. Throws InternalError unless logits,
/// quantizers, tables of bits, exported files and reports without times are the same bytes.
RunResult run_and_verify(const options::Settings& settings, Log& log);

}  // namespace ptq::cli
