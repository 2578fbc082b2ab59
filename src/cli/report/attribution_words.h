#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/run.h"

/// Accuracy after each stage and noise at each node, as lines and as JSON.
namespace ptq::cli {

/// Nothing where nobody asked.
std::vector<std::string> attribution_lines(const RunResult& result);
std::vector<std::string> node_noise_lines(const RunResult& result);

/// null where nobody asked.
nlohmann::json attribution_json(const RunResult& result);
nlohmann::json node_noise_json(const RunResult& result);

}  // namespace ptq::cli
