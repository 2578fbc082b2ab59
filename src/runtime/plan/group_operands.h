#pragma once

#include <vector>

#include "runtime/plan/fusion.h"
#include "runtime/plan/program.h"

namespace ptq::runtime {

/// What a group of nodes is as a step: the slots it reads, and what runs in its tail.
struct GroupOperands {
  /// Those of the anchor, then the operands of the tail.
  std::vector<SlotId> inputs;
  Tail tail;
  /// Of an elementwise anchor: the input that the tail starts from.
  size_t main = 0;
};

/// `slots` start with those of the graph's values, whose layouts are known as far as the group
/// reads them.
GroupOperands operands_of(const Group& group, const std::vector<Slot>& slots,
                          const PlanGraph& plan);

/// Sizes of the arithmetic of these slots.
Extents broadcast_sizes(const std::vector<SlotId>& inputs, const std::vector<Slot>& slots);

}  // namespace ptq::runtime
