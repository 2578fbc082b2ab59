#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "passes/learned_round/operation.h"
#include "passes/learned_round/unit_images.h"
#include "ptq/quant/quantized_network.h"
#include "runtime/layer_sweep.h"

namespace ptq::passes {

/// The value, for `batch` images, of what does not depend on them. Throws InternalError if it does.
at::Tensor constant_value(const ir::Index& index, const quant::QuantizerTable& table,
                          ir::ValueId value, int64_t batch);

/// A layer or block of a quantized network, run forward and backward on batches of its inputs with
/// weights that change from step to step. Activation quantizers and biases are as they are in the
/// network; derivatives are taken by the weights of only its rounded layers.
class UnitNetwork {
 public:
  /// Refers to both. Biases and weights that are not learned are taken as they are now.
  UnitNetwork(QuantizedNetwork& network, const runtime::SweepUnit& unit);

  /// The layers whose rounding is learned, in execution order.
  const std::vector<ir::Node*>& layers() const { return layers_; }

  /// The unit's output with these weights, one a layer, for its input.
  at::Tensor forward(const at::Tensor& input, const Tensors& weights,
                     const Dropping& dropping = {});

  /// Derivatives by the weights of the last forward, one a layer, from that by its output.
  Tensors backward(const at::Tensor& by_output);

 private:
  std::vector<Tracked> inputs_of(const ir::Node& node, int64_t batch) const;
  std::unique_ptr<Operation> run(const ir::Node& node, const std::vector<Tracked>& inputs,
                                 const Tensors& weights, const Dropping& dropping, int64_t batch);

  const quant::QuantizerTable& table_;
  const runtime::SweepUnit& unit_;
  ir::Index index_;
  ImageAxis axis_;
  std::vector<ir::Node*> layers_;
  std::unordered_map<const ir::Node*, size_t> layer_numbers_;
  /// Weight and bias by weighted node.
  std::unordered_map<const ir::Node*, Tensors> tensors_;
  std::unordered_map<ir::ValueId, Tracked> values_;
  /// As many as nodes of the unit.
  std::vector<std::unique_ptr<Operation>> tape_;
};

}  // namespace ptq::passes
