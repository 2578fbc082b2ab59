#pragma once

#include <string>

#include "options/config/config.h"
#include "options/settings.h"

namespace ptq::options {

/// A name for what a run makes, fit for a file (at most 200 of [A-Za-z0-9._=-]). It begins as the
/// reference's (reference-contract 1.4), goes on with every other option that can change a result
/// and is not at its default (`_seed=7`), and ends with a hash of model file and image folders:
/// runs that may differ have different names (section 10, row 32). What only changes speed or
/// output files is left out.
std::string run_name(const Settings& settings, const Config& config);

}  // namespace ptq::options
