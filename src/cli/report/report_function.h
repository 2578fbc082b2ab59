#pragma once

#include <nlohmann/json_fwd.hpp>

#include "workflow/quantization.h"

namespace ptq::cli {

/// The report's `function` and `relu6`; null where there is none.
nlohmann::json function_json(const workflow::TechniqueReports& result);
nlohmann::json relu6_json(const workflow::TechniqueReports& result);

}  // namespace ptq::cli
