#pragma once

#include <nlohmann/json.hpp>

#include "ptq/cli/run.h"

namespace ptq::cli {

/// What the techniques that ran say of themselves, by name.
nlohmann::json techniques_json(const RunResult& result);

}  // namespace ptq::cli
