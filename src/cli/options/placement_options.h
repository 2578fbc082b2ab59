#pragma once

#include "ptq/backends/placement.h"
#include "ptq/cli/settings.h"

namespace ptq::cli {

backends::Backend backend_of(const Settings& settings);

/// Throws ConfigError for combinations that make no sense and for a malformed --layer-bits.
backends::PlacementOptions placement_options(const Settings& settings);

}  // namespace ptq::cli
