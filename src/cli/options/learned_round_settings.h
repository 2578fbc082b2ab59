#pragma once

#include <optional>

#include "ptq/cli/settings.h"
#include "ptq/passes/learned_round.h"

namespace ptq::cli {

/// What to learn of rounding; none without --learned-round. Seed, threads and memory are left as
/// they are.
std::optional<passes::LearnedRoundOptions> learned_round_options(const Settings& settings);

}  // namespace ptq::cli
