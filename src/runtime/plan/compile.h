#pragma once

#include <unordered_map>
#include <vector>

#include "runtime/plan/plan_graph.h"
#include "runtime/plan/program.h"

namespace ptq::runtime {

/// Compiles a whole network for the threads that OpenMP would use on the calling thread. Throws
/// ExecutionError naming a node that cannot run.
Program compile(PlanGraph plan, Numerics numerics, Arithmetic arithmetic, int64_t micro_batch);

/// The values of a part of a network that are made outside, with where their elements lie, and
/// those it makes that are read outside.
struct PartValues {
  std::unordered_map<ir::ValueId, Layout> inputs;
  std::vector<ir::ValueId> outputs;
};

/// Compiles some nodes of a network, in its order, with weights and biases as they stand in the
/// nodes and activation quantizers on, for exactly `batch` images. Program::inputs stand in
/// ascending order, outputs as given and in whatever layout the last step leaves.
Program compile_part(PlanGraph nodes, const PartValues& values, int64_t batch);

}  // namespace ptq::runtime
