#pragma once

#include <memory>

#include "passes/learned_round/layer_objective.h"
#include "runtime/layer_sweep.h"

namespace ptq::passes {

/// The streams of a sweep that learns rounding.
inline constexpr int kQuantizedStream = 0;
inline constexpr int kOriginalStream = 1;

/// The objective of a unit of one layer over all images: from its columns where that is less work,
/// else from their moments.
std::unique_ptr<LayerObjective> layer_objective(const runtime::SweepStop& stop, MeanError mean);

}  // namespace ptq::passes
