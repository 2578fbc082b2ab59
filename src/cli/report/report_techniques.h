#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/run.h"

namespace ptq::cli {

/// What the techniques that ran say of themselves, by name: counts, largest range ratios, and
/// region by region the layers that make and read it (`sources`, `sinks`) and what was left out
/// (`rejected`).
nlohmann::json techniques_json(const RunResult& result);

}  // namespace ptq::cli
