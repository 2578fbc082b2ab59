#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/layer_sweep.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/plan_graph.h"
#include "runtime/sweep/activation_store.h"

namespace ptq::runtime {

/// What the streams of one sweep share. Everything outlives them.
struct SweepNetwork {
  /// As techniques change it.
  const QuantizedNetwork& now;
  const ir::Index& index;
  const SweepOptions& options;
  const ActivationStore& store;
};

/// One copy of the calibration set on its way through the network: which nodes it has come through,
/// and the values that are still needed, batch by batch.
class SweepStream {
 public:
  /// Starts from `images`. Inputs of `units` stay until the unit is finished, and in a stream of
  /// original weights outputs too.
  SweepStream(const SweepNetwork& network, const Stream& kind, const std::vector<SweepUnit>& units,
              const std::vector<ActivationStore::Handle>& images);

  bool is_original() const { return kind_.weights == Stream::Weights::kOriginal; }

  /// Runs every node before position `end` of the graph that has not run yet.
  void advance(size_t end);

  /// A value of the graph, as this stream has it now.
  at::Tensor value(ir::ValueId value, int64_t batch) const;

  int64_t images(int64_t batch) const { return images_.at(static_cast<size_t>(batch)); }

  void finish(const SweepUnit& unit);

 private:
  struct Step {
    const ir::Node* node;
    size_t position;
  };
  using Live = std::unordered_map<ir::ValueId, ActivationStore::Handle>;

  void note_reads(const std::vector<SweepUnit>& units);
  ir::ValueId source(ir::ValueId value) const;
  bool is_needed(ir::ValueId value, size_t from) const;
  ir::Node with_weights(const ir::Node& node) const;
  PlanGraph nodes_until(size_t end);
  PartValues values_of(const ir::Graph& part, size_t end) const;
  void run(const PlanGraph& part, const PartValues& values, size_t end);
  void run_batch(const Program& program, Live& live, class PartMemory& memory, size_t end) const;

  const SweepNetwork& network_;
  Stream kind_;
  PlanGraph plan_;
  std::vector<Step> steps_;
  /// Steps that have run, and the position that they reach to.
  size_t done_ = 0;
  /// By value: position of the last node that reads it.
  std::unordered_map<ir::ValueId, size_t> last_read_;
  /// By value: how many unfinished units want it kept.
  std::unordered_map<ir::ValueId, int> wanted_;
  size_t position_ = 0;
  std::vector<Live> live_;
  std::vector<int64_t> images_;
};

}  // namespace ptq::runtime
