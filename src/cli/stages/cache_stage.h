#pragma once

#include "cli/stage.h"

namespace ptq::cli {

/// Writes what the run left for later ones, and says what came from earlier ones.
void finish_cache(Run& run);

}  // namespace ptq::cli
