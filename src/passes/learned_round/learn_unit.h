#pragma once

#include "passes/learned_round/unit_images.h"
#include "passes/learned_round/unit_network.h"
#include "passes/learned_round/unit_plan.h"
#include "ptq/passes/learned_round.h"

namespace ptq::passes {

/// Learns the rounding of all layers of a unit together, on batches of images, and gives the layers
/// the weights that came out. `plan`, of the same unit, takes the steps, or nullptr: the network
/// does. Scales that the plan derives by are learned too. `seed` is the unit's own.
RoundedUnit learn_unit(UnitNetwork& network, UnitPlan* plan, const UnitImages& images,
                       quant::QuantizerTable& table, const LearnedRoundOptions& options,
                       uint64_t seed);

}  // namespace ptq::passes
