#pragma once

#include "ptq/backends/placement.h"

namespace ptq::backends {

/// Changes bit widths of a placed graph as `options.overrides` ask; errors as place().
void apply_overrides(ir::Graph& graph, quant::QuantizerTable& table,
                     const PlacementOptions& options);

}  // namespace ptq::backends
