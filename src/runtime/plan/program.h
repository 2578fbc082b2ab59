#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/plan/plan_graph.h"
#include "runtime/steps/step.h"

namespace ptq::runtime {

/// Index into Program::slots.
using SlotId = int;

/// A value of a program: where it lies in a lane's arena.
struct Slot {
  Layout layout;
  /// Defined for values that do not depend on the images: shared by lanes, not in the arena.
  at::Tensor constant;
  /// Slot whose memory this one is a view of; itself for one that has its own.
  SlotId root = -1;
  /// Byte offset in the arena, of roots.
  int64_t offset = 0;
};

struct Instruction {
  /// Whom to blame.
  std::string node;
  std::vector<SlotId> inputs;
  SlotId output = -1;
  /// Exactly one of the two is there: a computation, or a view of inputs[0].
  std::unique_ptr<Step> step;
  std::optional<ir::Op> view;
};

struct Observation {
  SlotId slot = -1;
  std::vector<const ir::Node*> nodes;
};

/// A network compiled for a fixed number of images at once; immutable, shared by lanes.
struct Program {
  int64_t micro_batch = 1;
  std::vector<Slot> slots;
  std::vector<Instruction> instructions;
  /// What it is given and what it makes: the images and the logits, of a whole network.
  std::vector<SlotId> inputs, outputs;
  /// By instruction: what to show an observer once it has run.
  std::vector<std::vector<Observation>> observations;
  /// Constants to show an observer, once a run.
  std::vector<Observation> constant_observations;
  /// Observers of the images themselves.
  std::vector<const ir::Node*> image_observers;
  int64_t arena_bytes = 0;
  int64_t scratch_bytes = 0;
};

}  // namespace ptq::runtime
