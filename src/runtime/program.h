#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/plan_graph.h"
#include "runtime/step.h"

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

/// Compiles a whole network for the threads that OpenMP would use on the calling thread. Throws
/// ImportError naming a node that cannot run.
Program compile(PlanGraph plan, const quant::QuantizerTable& table, Numerics numerics,
                int64_t micro_batch);

/// The values of a part of a network that are made outside, with where their elements lie, and
/// those it makes that are read outside.
struct PartValues {
  std::unordered_map<ir::ValueId, Layout> inputs;
  std::vector<ir::ValueId> outputs;
};

/// Compiles some nodes of a network, in its order, with weights and biases as they stand in the
/// nodes and activation quantizers on, for exactly `batch` images. Program::inputs stand in
/// ascending order, outputs as given and in whatever layout the last step leaves.
Program compile_part(PlanGraph nodes, const PartValues& values, const quant::QuantizerTable& table,
                     int64_t batch);

/// Gives every root its place in the arena: values that live at different times share bytes, and a
/// step overwrites an input that nobody else needs where it can.
void assign_memory(Program& program);

/// Images at once that keep the activations in a core's share of the cache and still read the
/// weights seldom enough.
int64_t choose_micro_batch(const ir::Graph& graph);

}  // namespace ptq::runtime
