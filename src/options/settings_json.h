#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "options/settings.h"

namespace ptq::options {

/// Every option with the value in force, by the reference's names: the report's `config`.
nlohmann::json config_json(const Settings& settings);

/// What was asked for, from a file of options or on the command line, as one command that a shell
/// reads back.
std::string command_of(const Settings& settings);

}  // namespace ptq::options
