#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/plan/compile.h"
#include "runtime/plan/plan_graph.h"
#include "runtime/quantizer_variants.h"

namespace ptq::runtime {

/// A network as its quantizers are, cut into stretches (stretches_of), each compiled when it is
/// first run. May be used by several threads at once.
class CutNetwork {
 public:
  /// `stretches` by node of `graph`.
  CutNetwork(const ir::Graph& graph, const std::vector<size_t>& stretches, QuantizerStates states);
  CutNetwork(const CutNetwork&) = delete;
  CutNetwork& operator=(const CutNetwork&) = delete;

  size_t size() const { return stretches_.size(); }
  ir::ValueId input() const { return plan_.graph.input; }
  ir::ValueId output() const { return plan_.graph.output; }

  /// By stretch: whether it computes something else than that of `base`, from which it differs in
  /// the quantizers `changed`.
  std::vector<bool> differences(const CutNetwork& base,
                                const std::unordered_set<ir::QuantizerId>& changed) const;

  /// Whether a value is read in a stretch at or behind `from`, or is the network's output.
  bool is_needed(ir::ValueId value, size_t from) const;

  /// What stretch `index` reads that was made before it, ascending.
  const std::vector<ir::ValueId>& inputs(size_t index) const { return stretches_[index].inputs; }

  /// For exactly `images` images, inputs laid out so; nullptr for a stretch that makes nothing that
  /// is needed behind it.
  const Program* program(size_t index, const std::vector<Layout>& inputs, int64_t images);

 private:
  struct Stretch {
    std::vector<const ir::Node*> nodes;
    std::vector<ir::ValueId> inputs, outputs;
    /// By images and layouts.
    std::map<std::string, Program> programs;
  };

  void note_values();
  ir::Node with_weights(const ir::Node& node) const;
  bool is_changed(const ir::Node& node, const std::unordered_set<ir::QuantizerId>& changed) const;
  bool has_folded(const std::unordered_set<ir::QuantizerId>& changed) const;
  Program compiled(const Stretch& stretch, const std::vector<Layout>& inputs, int64_t images) const;

  /// Without the quantizers that are off.
  QuantizedNetwork network_;
  ir::Index index_;
  PlanGraph plan_;
  std::vector<Stretch> stretches_;
  std::unordered_map<ir::ValueId, size_t> last_read_;
  std::mutex mutex_;
};

}  // namespace ptq::runtime
