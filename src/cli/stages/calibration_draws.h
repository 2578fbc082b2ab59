#pragma once

#include "cli/session.h"
#include "cli/stage.h"

namespace ptq::cli {

/// Throws ConfigError if --repeat-calibration has nothing to draw: no calibration at all, or one
/// that takes every image of the folder.
void check_draws(const options::Config& config, int64_t calibration_images, int64_t available);

/// With --repeat-calibration N, the run again with seeds seed + 1 .. seed + N - 1; their top-1, and
/// that of this run, which is the first draw. The session keeps what the draws have in common.
void repeat_calibration(Run& run, Session& session);

}  // namespace ptq::cli
