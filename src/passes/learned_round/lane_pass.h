#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "passes/learned_round/dropping.h"
#include "passes/learned_round/planes.h"
#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"
#include "runtime/onednn/trainable_convolution.h"

/// What a node of a unit does in a lane: on a few images, with one thread, in memory that stays.
/// Values are row-major, or channels-last.
namespace ptq::passes {

/// Where a derivative by an input goes.
struct Sink {
  /// Undefined: nobody asks.
  at::Tensor gradient;
  /// To what a later node left there.
  bool adds = false;

  /// Undefined: there is none, which is zero.
  void take(const at::Tensor& more) const;
};

/// A node's memory in a lane.
struct LaneNode {
  const ir::Node* node = nullptr;
  /// Its place in the unit, which draws its masks.
  uint32_t number = 0;
  int64_t images = 1;
  std::vector<at::Tensor> inputs;
  /// One an input.
  std::vector<Sink> sinks;
  at::Tensor output;
  /// Undefined: nobody asks.
  at::Tensor by_output;
  /// Of a quantizer: its derivative by the logarithm of the scale is added there, if anyone asks.
  double* by_log_scale = nullptr;
};

/// What a step says to lanes.
struct LaneStep {
  Dropping dropping;
  /// Which images of the step are in the lane's memory, counted from its first one.
  int64_t first_image = 0;
};

class LanePass {
 public:
  virtual ~LanePass() = default;
  virtual void forward(const LaneStep& step) = 0;
  /// From LaneNode::by_output to the sinks.
  virtual void backward() = 0;
};

/// A layer and its weight of a step, which lanes share.
struct LayerWeight {
  const ir::Node* node = nullptr;
  bool is_learned = false;
  at::Tensor weight;
  /// Undefined: none.
  at::Tensor bias;
  /// Of convolutions over two dimensions.
  std::optional<runtime::TrainableConvolution> convolution = {};

  void set(const at::Tensor& to);
  /// A derivative as lanes have it, in the order of the weight.
  at::Tensor unpacked(const at::Tensor& gradient) const;
};

/// The pass of a layer also leaves its derivative by the weight in `by_weight` if it is learned,
/// overwriting what was there.
std::unique_ptr<LanePass> layer_pass(const LaneNode& node, const LayerWeight& layer,
                                     const at::Tensor& by_weight, void* scratch);
/// Floats of `by_weight`.
int64_t gradient_elements(const LayerWeight& layer);

/// An activation quantizer that is_quantized_in_lanes(), perhaps after one that is_clamp().
/// `before` is that activation, or nullptr.
std::unique_ptr<LanePass> quantizer_pass(const LaneNode& node, const quant::QuantizerTable& table,
                                         const ir::Node* before);
/// One scale, and integers.
bool is_quantized_in_lanes(const ir::Node& node, const quant::QuantizerTable& table);
/// ReLU, or ReLU6, whose ceilings may differ by channel where channels come last.
bool is_clamp(const ir::Node& node, Planes planes);

/// Any other operation.
std::unique_ptr<LanePass> other_pass(const LaneNode& node, const quant::QuantizerTable& table);

}  // namespace ptq::passes
