#pragma once

#include "ptq/backends/placement.h"

namespace ptq::backends {

/// Changes bit widths of a placed network as `options.overrides` ask; errors as place().
void apply_overrides(QuantizedNetwork& network, const PlacementOptions& options);

}  // namespace ptq::backends
