#pragma once

#include <string_view>

#include "passes/pipeline.h"
#include "ptq/ir/graph.h"
#include "ptq/passes/equalize.h"
#include "ptq/passes/split_channels.h"

namespace ptq::passes {

/// One step of the preparation. A second run on its own result changes nothing, except that
/// SplitChannels splits again. Numbers in parentheses are sections of docs/reference-contract.md.
class Pass {
 public:
  virtual ~Pass() = default;
  /// kebab-case, as in reports.
  virtual std::string_view name() const = 0;
  /// Returns the number of sites changed.
  virtual int run(ir::Graph& graph) const = 0;
};

/// Whether the node clamps to 6 itself: not a clamp from zero to another number.
bool is_relu6(const ir::Node& node);

/// relu6 -> relu everywhere: it changes the network, and makes its layers equalizable (4.1, step
/// 4).
struct Relu6ToRelu : Pass {
  std::string_view name() const override { return "relu6-to-relu"; }
  int run(ir::Graph& graph) const override;
};

/// mean over height and width -> global average pool and reshape (4.1, step 5).
struct MeanToAvgPool : Pass {
  std::string_view name() const override { return "mean-to-avg-pool"; }
  int run(ir::Graph& graph) const override;
};

/// adaptive_avg_pool -> avg_pool where its windows are all of one size (4.2).
struct AdaptiveToAvgPool : Pass {
  std::string_view name() const override { return "adaptive-to-avg-pool"; }
  int run(ir::Graph& graph) const override;
};

/// A concat that only feeds a concat of the same dimension is written into it (4.1, step 6).
struct CollapseConcats : Pass {
  std::string_view name() const override { return "collapse-concats"; }
  int run(ir::Graph& graph) const override;
};

/// concat -> batch norm becomes batch norms -> concat where each can be merged (4.1, step 7).
struct MoveBatchNormBeforeConcat : Pass {
  std::string_view name() const override { return "move-batch-norm-before-concat"; }
  int run(ir::Graph& graph) const override;
};

/// Batch norms behind a convolution, linear or batch norm they are alone to read go into its
/// weights (4.1, step 8).
struct MergeBatchNorm : Pass {
  std::string_view name() const override { return "merge-batch-norm"; }
  int run(ir::Graph& graph) const override;
};

/// Scale moves between the layers that make a value and those that read it (6.4).
class EqualizeGraph : public Pass {
 public:
  explicit EqualizeGraph(EqualizationOptions options) : options_(std::move(options)) {}
  std::string_view name() const override { return "equalize-graph"; }
  int run(ir::Graph& graph) const override;

 private:
  EqualizationOptions options_;
};

/// The channels of the largest weights become two of half the weight (6.10).
class SplitChannels : public Pass {
 public:
  explicit SplitChannels(SplittingOptions options) : options_(std::move(options)) {}
  std::string_view name() const override { return "split-channels"; }
  int run(ir::Graph& graph) const override;

 private:
  SplittingOptions options_;
};

}  // namespace ptq::passes
