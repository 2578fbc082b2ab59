#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "passes/learned_round/lane_pass.h"
#include "passes/learned_round/unit_plan.h"

namespace ptq::passes {

/// The memory and passes of one thread for some images of a unit.
class UnitPlan::Lane {
 public:
  Lane(QuantizedNetwork& network, const runtime::SweepUnit& unit,
       const std::vector<std::unique_ptr<LayerWeight>>& weights,
       const std::vector<quant::ScaleId>& scales, int64_t images, Planes planes);

  /// The output, until the next call.
  const at::Tensor& forward(const at::Tensor& input, const LaneStep& step);
  /// Forward and backward; leaves derivatives in by_weights() and by_scales().
  void run(const at::Tensor& input, const LaneStep& step, const ByOutput& by_output);

  /// One a learned layer, in the order of its primitive.
  const Tensors& by_weights() const { return by_weights_; }
  /// By the logarithms of `scales`.
  const std::vector<double>& by_scales() const { return by_scales_; }

 private:
  void fuse_clamps(const runtime::SweepUnit& unit);
  /// What a node reads that reads `value`: past a clamp that happens in it.
  ir::ValueId source(ir::ValueId value) const;
  bool is_in_place(const ir::Node& node) const;
  void add_value(const ir::Graph& graph, ir::ValueId value);
  std::optional<ir::ValueId> same_gradient(const ir::Node& node) const;
  void find_gradients(const runtime::SweepUnit& unit,
                      const std::vector<std::unique_ptr<LayerWeight>>& weights);
  std::unordered_map<const ir::Node*, std::vector<Sink>> sinks(
      const runtime::SweepUnit& unit) const;
  LaneNode lane_node(const ir::Node& node, std::vector<Sink> sinks);
  /// Where the derivative by a quantizer's scale goes; nullptr: nobody asks.
  double* by_scale_of(const ir::Node& node);
  void add_passes(const runtime::SweepUnit& unit,
                  const std::vector<std::unique_ptr<LayerWeight>>& weights);

  const quant::QuantizerTable& table_;
  ir::Index index_;
  ir::ValueId input_, output_;
  int64_t images_;
  Planes planes_;
  std::unordered_map<ir::ValueId, at::Tensor> values_;
  /// By value; of those that someone asks for.
  std::unordered_map<ir::ValueId, at::Tensor> gradients_;
  std::unordered_set<const ir::Node*> fused_;
  at::Tensor scratch_;
  Tensors by_weights_;
  std::vector<quant::ScaleId> scales_;
  std::vector<double> by_scales_;
  std::vector<std::unique_ptr<LanePass>> passes_;
  /// Those with a derivative, in reverse.
  std::vector<LanePass*> backward_;
};

}  // namespace ptq::passes
