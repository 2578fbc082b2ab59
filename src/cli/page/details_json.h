#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/run.h"

namespace ptq::cli {

/// The report's `layers`, `activations`, `truth`, `classes` and `flips` (cli/details.h), null
/// without --page.
void add_details(nlohmann::json& report, const RunResult& result);

}  // namespace ptq::cli
