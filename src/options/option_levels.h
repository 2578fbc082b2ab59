#pragma once

#include <string>
#include <string_view>

#include "options/settings.h"

/// Which options a stage of a run depends on: runs that agree in them may share what it made.
namespace ptq::options {

/// The first stage that the option can change. kModel, which shares nothing, for any option that is
/// not known to come in later.
Level level_of(std::string_view option);

/// The options up to a level with their values: equal for settings that may share that stage.
std::string key_up_to(Level level, const Settings& settings);

/// The options with their values, except those whose first stage is kActivations.
std::string key_without_activations(const Settings& settings);

}  // namespace ptq::options
