#pragma once

#include "options/config/config.h"
#include "options/settings.h"

namespace ptq::options {

/// What --sensitivity and the budgets ask for. Throws ConfigError naming the flag.
BitsConfig bits_config(const Settings& settings);

}  // namespace ptq::options
