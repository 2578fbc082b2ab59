#pragma once

#include <cstdint>

#include "ptq/ir/graph.h"

namespace ptq::runtime {

/// Images at once that keep the activations in a core's share of the cache and still read the
/// weights seldom enough.
int64_t choose_micro_batch(const ir::Graph& graph);

}  // namespace ptq::runtime
