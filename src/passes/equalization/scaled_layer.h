#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ir/clamp.h"
#include "passes/equalization/equalization_regions.h"
#include "passes/equalization/weight_ratios.h"
#include "ptq/passes/equalize.h"

namespace ptq::passes {

/// A layer whose channels are to be scaled. Ranges follow from one number for each pair of output
/// and input channel, which is all that is scaled while factors are sought; the weights themselves
/// are read for the ratios of biases alone, and written once, by write().
class ScaledLayer {
 public:
  /// In how many regions the layer is read (source) or reads (sink).
  struct Roles {
    bool is_source = false, is_sink = false;
  };

  ScaledLayer(ir::Node& node, Roles roles);

  /// Largest |weight| of every output channel; with biases, the larger of that and |bias| / sigma.
  at::Tensor output_range(MergeBias merge_bias);
  /// Largest |weight| that multiplies each of the input channels [begin, end).
  at::Tensor input_range(int64_t begin, int64_t end);

  void scale_outputs(const at::Tensor& factors);
  void scale_inputs(int64_t begin, const at::Tensor& factors);

  /// New tensors for the node, float32.
  void write();

 private:
  at::Tensor shrunk_bias(const at::Tensor& weight_range);
  /// Shows each row of `largest_`, into which the pending factors go on the way.
  void read_rows(const std::function<void(int64_t row, const float* largest)>& use);
  void settle();
  /// Factors of the inputs for every weight of a channel, [K].
  at::Tensor column_factors() const;

  ir::Node* node_;
  /// Output channels first: [outputs, inputs, kernel], or [channels, 1, kernel] where each output
  /// has one input.
  at::Tensor weight_;
  bool one_to_one_;
  /// Largest |weight| over the kernel as scaled so far: [outputs, inputs], and 1 where the layer
  /// has no such role.
  at::Tensor largest_;
  /// The last factors, which enter `largest_` as it is read next: one pass over it instead of two.
  at::Tensor pending_outputs_, pending_inputs_;
  at::Tensor output_factors_, input_factors_;
  /// As of the inputs' present factors: those of the outputs leave them alone.
  std::optional<WeightRatios> ratios_;
};

/// The bounds of a clamp whose channels are to be scaled.
class ScaledClamp {
 public:
  explicit ScaledClamp(const RegionClamp& clamp);
  void scale(int64_t begin, const at::Tensor& factors);
  void write();

 private:
  ir::Node* node_;
  /// [C, 1, ...]
  ir::ClampBounds bounds_;
};

/// The layers and clamps of some regions, each once.
class ScaledLayers {
 public:
  explicit ScaledLayers(const std::vector<EqualizationRegion>& regions);

  ScaledLayer& of(const ir::Node* node) { return *by_node_.at(node); }
  ScaledClamp& clamp(const ir::Node* node) { return clamps_.at(node); }
  int size() const { return static_cast<int>(layers_.size()); }
  void write();

 private:
  std::list<ScaledLayer> layers_;
  std::unordered_map<const ir::Node*, ScaledLayer*> by_node_;
  std::unordered_map<const ir::Node*, ScaledClamp> clamps_;
};

}  // namespace ptq::passes
