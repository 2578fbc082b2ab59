#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "passes/correct_biases.h"
#include "quant/fake_quantize.h"
#include "quant/layer_quantizers.h"
#include "runtime/execute_op.h"

namespace ptq::passes::testing {

/// Bias correction as it is defined: every layer runs twice on what a network of float layers and
/// quantized activations gives it. Layers run in float64.
class DirectCorrection {
 public:
  /// `own` tells whether the FakeQuantize before a layer is part of it.
  using IsOwn = std::function<bool(const ir::Node& layer)>;

  DirectCorrection(QuantizedNetwork network, IsOwn is_own)
      : network_(std::move(network)), index_(network_.graph), is_own_(std::move(is_own)) {}

  void add_batch(const at::Tensor& images) {
    values_ = {{network_.graph.input, images}};
    for (const ir::Node& node : network_.graph.nodes) {
      values_[node.output()] = run(node, images.size(0));
    }
    ++batches_;
  }

  at::Tensor shift(const std::string& layer) const { return shifts_.at(layer).div(batches_); }
  /// Largest mean of a float output, by magnitude.
  double scale(const std::string& layer) const { return scales_.at(layer); }

 private:
  at::Tensor run(const ir::Node& node, int64_t batch) {
    std::vector<at::Tensor> inputs;
    for (const ir::ValueId input : node.inputs) inputs.push_back(values_.at(input));
    if (const auto* fake = node.as<ir::FakeQuantize>()) {
      return quant::fake_quantize_activation(inputs[0], network_.table, fake->quantizer);
    }
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) {
      return runtime::execute_op(node.op, inputs, batch);
    }
    const at::Tensor quantized = inputs[0];
    if (is_own_(node)) inputs[0] = values_.at(index_.producer(node.inputs[0])->inputs[0]);
    const quant::LayerTensors original{layer->weight.value,
                                       layer->bias ? layer->bias->value : at::Tensor()};
    const at::Tensor in_float = mean(node, inputs[0], original);
    const at::Tensor in_codes =
        mean(node, quantized, quant::quantized_layer_tensors(index_, node, network_.table));
    const at::Tensor error = in_float.sub(in_codes);
    at::Tensor& sum = shifts_[node.name];
    sum = sum.defined() ? sum.add(error) : error;
    scales_[node.name] = in_float.abs().max().item<double>();
    return runtime::execute_op(node.op, inputs, batch);
  }

  static at::Tensor mean(const ir::Node& node, const at::Tensor& input,
                         const quant::LayerTensors& tensors) {
    ir::Op op = node.op;
    ir::weighted(op)->weight.value = tensors.weight.to(at::kDouble);
    if (tensors.bias.defined()) ir::weighted(op)->bias->value = tensors.bias.to(at::kDouble);
    const at::Tensor output = runtime::execute_op(op, {input.to(at::kDouble)}, input.size(0));
    const int64_t channels = node.is<ir::Linear>() ? output.dim() - 1 : 1;
    return output.transpose(0, channels).flatten(1).mean(1);
  }

  QuantizedNetwork network_;
  ir::Index index_;
  IsOwn is_own_;
  std::unordered_map<ir::ValueId, at::Tensor> values_;
  std::map<std::string, at::Tensor> shifts_;
  std::map<std::string, double> scales_;
  int64_t batches_ = 0;
};

}  // namespace ptq::passes::testing
