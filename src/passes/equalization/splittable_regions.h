#pragma once

#include "passes/equalization/equalization_regions.h"

namespace ptq::passes {

/// The regions of equalization whose channels can be doubled (reference-contract 6.10): ungrouped
/// layers alone make and read them, each all of them, and no layer is source, or sink, of two
/// regions. Beyond the reference, values multiplied channel by channel with another are left out:
/// the other would have to grow, too. The rest, and what is not a region, is rejected with a
/// reason. Changes nothing; nodes are those of `graph`.
EqualizationRegions splittable_regions(ir::Graph& graph);

}  // namespace ptq::passes
