#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "passes/learned_round/lane_pass.h"
#include "passes/learned_round/operation.h"
#include "passes/learned_round/planes.h"
#include "ptq/quant/quantized_network.h"
#include "runtime/layer_sweep.h"

namespace ptq::passes {

/// A unit compiled for steps of a fixed number of images: what UnitNetwork computes, in less time.
/// A lane is a thread that takes some images forward and backward, a few at a time, in memory laid
/// out once; lanes wait for each other only at the end of the step. How images are grouped, and the
/// order in which their derivatives are added, depend on the unit alone, so that results do not
/// depend on the number of threads.
class UnitPlan {
 public:
  /// Whether all values of the unit are numbers with images in their first dimension alone.
  static bool fits(const ir::Graph& graph, const runtime::SweepUnit& unit);

  /// What a step has, and what it asks for.
  struct Step {
    int64_t images = 1;
    /// Derivatives by activation scales too.
    bool learns_scales = false;
  };

  /// Refers to network and unit, which fits. Biases and weights that are not learned are taken as
  /// they are now, activation scales as they are in each step.
  UnitPlan(QuantizedNetwork& network, const runtime::SweepUnit& unit, Step step);
  ~UnitPlan();
  UnitPlan(const UnitPlan&) = delete;
  UnitPlan& operator=(const UnitPlan&) = delete;

  /// The layers whose rounding is learned, in execution order.
  const std::vector<ir::Node*>& layers() const { return layers_; }

  /// The activation scales that are learned: float, per tensor, of integers, and no quantizer
  /// outside the unit has them.
  const std::vector<quant::ScaleId>& scales() const { return scales_; }
  /// Of each of scales(), the least that leaves the biases of its layers room.
  const std::vector<double>& least_scales() const { return least_scales_; }

  /// Writes the derivative by some rows (entries of the first dimension) of the output. `first` is
  /// which one of the step's is the first; lanes call it at the same time.
  using ByOutput = std::function<void(const at::Tensor& output, int64_t first, at::Tensor& to)>;

  /// How lanes hold values. Inputs and derivatives that lie so need not be turned.
  Planes planes() const;

  /// Whether forward() takes so many images, which need not be those of a step.
  bool takes(int64_t images) const { return images % at_once_ == 0; }
  /// The output, which lies as planes() says, with nothing dropped.
  at::Tensor forward(const at::Tensor& input, int64_t images, const Tensors& weights);

  struct Gradients {
    /// One a layer.
    Tensors by_weights;
    /// By the logarithms of scales().
    std::vector<double> by_scales;
  };
  /// For the input of a step.
  Gradients gradients(const at::Tensor& input, const Tensors& weights, const Dropping& dropping,
                      const ByOutput& by_output);

 private:
  class Lane;
  /// Images that a lane takes at once.
  int64_t images_at_once(const ir::Graph& graph, const runtime::SweepUnit& unit) const;
  void set(const Tensors& weights);
  void run_lane(size_t lane, const at::Tensor& input, const Dropping& dropping,
                const ByOutput& by_output);

  int64_t images_;
  int64_t at_once_;
  std::vector<ir::Node*> layers_;
  std::vector<quant::ScaleId> scales_;
  std::vector<double> least_scales_;
  /// Every weighted node of the unit; lanes refer to them.
  std::vector<std::unique_ptr<LayerWeight>> weights_;
  std::vector<LayerWeight*> learned_;
  /// Sums of derivatives of consecutive images, by sum and learned layer.
  std::vector<Tensors> sums_;
  /// By group of images that a lane takes at once.
  std::vector<std::vector<double>> by_scales_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace ptq::passes
