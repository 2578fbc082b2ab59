#pragma once

#include "cli/config.h"
#include "cli/settings.h"

namespace ptq::cli {

/// What --sensitivity and the budgets ask for. Throws ConfigError naming the flag.
BitsConfig bits_config(const Settings& settings);

}  // namespace ptq::cli
