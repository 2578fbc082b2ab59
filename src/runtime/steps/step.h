#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "ptq/ir/graph.h"
#include "quant/layer_quantizers.h"
#include "runtime/layout.h"
#include "runtime/steps/tail.h"

/// Steps of a plan: what a group of fused nodes becomes for one micro-batch.
namespace ptq::runtime {

/// A computation with everything about it decided except where its values lie. Shared by lanes.
class Step {
 public:
  virtual ~Step() = default;

  virtual int64_t scratch_bytes() const { return 0; }
  /// Whether input `index` and the output may share memory.
  virtual bool may_overwrite(size_t index) const {
    static_cast<void>(index);
    return false;
  }
  virtual Bound bind(const std::vector<at::Tensor>& inputs, const at::Tensor& out,
                     void* scratch) const = 0;
};

/// What a factory is given. `inputs` are the values the step will be bound to: first those of
/// `node`, then the operands of `tail`.
struct StepRequest {
  const ir::Node& node;
  const quant::QuantizerTable& table;
  std::vector<Layout> inputs;
  /// Sizes of the output.
  Extents sizes;
  /// What follows the node; for an elementwise node, itself first.
  Tail tail;
  /// Of an elementwise node: the input that the tail starts from.
  size_t main = 0;
  /// Of layers with weights: what to multiply with.
  quant::LayerTensors weights;
  /// Of a layer that runs on integers, whose input is codes: those of its weight.
  const quant::IntegerLayer* integers = nullptr;
  /// Images that the step computes at once.
  int64_t micro_batch = 1;
};

struct BuiltStep {
  std::unique_ptr<Step> step;
  Layout out;
};

/// The layouts that `node` wants of its inputs, given those they have; the same where any will do.
std::vector<Layout> wanted_inputs(const ir::Node& node, const std::vector<Layout>& given);

/// The step for a node some of whose inputs are codes, which reads them as they are; none where it
/// has no such step, and wants floats.
BuiltStep build_step_on_codes(const StepRequest& request);

/// The fastest step for a node and its tail; operations without one of their own go to LibTorch.
BuiltStep build_step(const StepRequest& request);

// The factories behind build_step. Each returns no step where it does not serve the case.
BuiltStep build_conv(const StepRequest& request);
BuiltStep build_linear(const StepRequest& request);
BuiltStep build_matmul(const StepRequest& request);
BuiltStep build_max_pool(const StepRequest& request);
BuiltStep build_mean(const StepRequest& request);
BuiltStep build_softmax(const StepRequest& request);
BuiltStep build_layer_norm(const StepRequest& request);
BuiltStep build_concat(const StepRequest& request);
BuiltStep build_padding(const StepRequest& request);
BuiltStep build_elementwise(const StepRequest& request);
BuiltStep build_value_quantizer(const StepRequest& request);
BuiltStep build_fallback(const StepRequest& request);

/// From codes to floats, `out`.
BuiltStep build_dequantize(const Layout& codes, const Layout& out);

/// Copies its input to the layout `out`.
BuiltStep build_copy(const Layout& out);

/// Whether a tail ends in codes.
bool makes_codes(const Tail& tail);

/// Where the output of a tail over `floats` lies.
Layout after_tail(const Tail& tail, const Layout& floats);

/// `step`, which makes `floats`, followed by `tail` over its output: in place, or from floats of
/// its own where the tail ends in codes.
BuiltStep tailed(std::unique_ptr<Step> step, Tail tail, const Layout& floats);

/// The view `node` takes of its input, or nothing if it is no view of this layout.
std::optional<at::Tensor> view_of(const ir::Op& op, const at::Tensor& in, int64_t micro_batch);

}  // namespace ptq::runtime
