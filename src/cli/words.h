#pragma once

#include <string>
#include <vector>

#include "options/config/config.h"
#include "options/settings.h"

/// What a run says of what it was asked for, in lines.
namespace ptq::cli {

/// The reference's configuration line: `label: value` items joined by ` - `.
std::string configuration_line(const options::Settings& settings, const options::Config& config);

/// Files, images and threads, a line each.
std::vector<std::string> plan_lines(const options::Config& config);

}  // namespace ptq::cli
