#pragma once

#include <optional>

#include "options/settings.h"
#include "ptq/quantize_config.h"

namespace ptq::options {

/// What the settings ask quantizing to do. Throws ConfigError for combinations that make no sense
/// and for a malformed --layer-bits.
QuantizeConfig quantize_config(const Settings& settings);

/// None without --learned-round.
std::optional<LearnedRound> learned_round_config(const Settings& settings);

}  // namespace ptq::options
