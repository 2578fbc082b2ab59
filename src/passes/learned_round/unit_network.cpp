#include "passes/learned_round/unit_network.h"

#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "passes/learned_round/blocks.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "quant/layer_quantizers.h"
#include "runtime/execute_op.h"

namespace ptq::passes {

at::Tensor constant_value(const ir::Index& index, const quant::QuantizerTable& table,
                          ir::ValueId value, int64_t batch) {
  const ir::Node* producer = index.producer(value);
  if (producer == nullptr) throw InternalError("a unit reads images beside its input");
  Tensors inputs;
  for (const ir::ValueId input : producer->inputs) {
    inputs.push_back(constant_value(index, table, input, batch));
  }
  if (const auto* fake = producer->as<ir::FakeQuantize>()) {
    return quant::fake_quantize_activation(inputs[0], table, fake->quantizer);
  }
  return runtime::execute_op(producer->op, inputs, batch);
}

UnitNetwork::UnitNetwork(QuantizedNetwork& network, const runtime::SweepUnit& unit)
    : table_(network.table),
      unit_(unit),
      index_(network.graph),
      axis_(image_axis(network.graph.values[static_cast<size_t>(unit.input)].shape)) {
  for (ir::Node* node : unit.nodes) {
    if (ir::weighted(node->op) == nullptr) continue;
    const quant::LayerTensors tensors = quant::quantized_layer_tensors(index_, *node, table_);
    tensors_[node] = {tensors.weight, tensors.bias};
    if (!is_rounded(*node)) continue;
    layer_numbers_.emplace(node, layers_.size());
    layers_.push_back(node);
  }
}

std::vector<Tracked> UnitNetwork::inputs_of(const ir::Node& node, int64_t batch) const {
  std::vector<Tracked> inputs;
  for (const ir::ValueId input : node.inputs) {
    const auto known = values_.find(input);
    inputs.push_back(known != values_.end()
                         ? known->second
                         : Tracked{constant_value(index_, table_, input, batch), false});
  }
  return inputs;
}

std::unique_ptr<Operation> UnitNetwork::run(const ir::Node& node,
                                            const std::vector<Tracked>& inputs,
                                            const Tensors& weights, const Dropping& dropping,
                                            int64_t batch) {
  if (const auto* fake = node.as<ir::FakeQuantize>()) {
    return run_quantizer(inputs[0], table_, fake->quantizer, dropping);
  }
  const auto tensors = tensors_.find(&node);
  if (tensors == tensors_.end()) return run_operation(node.op, inputs, batch);
  const auto number = layer_numbers_.find(&node);
  const Tracked weight = number == layer_numbers_.end() ? Tracked{tensors->second[0], false}
                                                        : Tracked{weights.at(number->second), true};
  return run_layer(node.op, inputs[0], weight, tensors->second[1]);
}

at::Tensor UnitNetwork::forward(const at::Tensor& input, const Tensors& weights,
                                const Dropping& dropping) {
  const int64_t batch = axis_.images(input);
  tape_.clear();
  values_.clear();
  values_[unit_.input] = {input, false};
  for (const ir::Node* node : unit_.nodes) {
    const std::vector<Tracked> inputs = inputs_of(*node, batch);
    const bool needs_gradient =
        layer_numbers_.count(node) > 0 ||
        std::any_of(inputs.begin(), inputs.end(),
                    [](const Tracked& tracked) { return tracked.needs_gradient; });
    const Dropping here = dropping.of(static_cast<uint32_t>(tape_.size()));
    tape_.push_back(run(*node, inputs, weights, here, batch));
    values_[node->output()] = {tape_.back()->output(), needs_gradient};
  }
  return values_.at(unit_.output).value;
}

Tensors UnitNetwork::backward(const at::Tensor& by_output) {
  Tensors by_weights(layers_.size());
  std::unordered_map<ir::ValueId, at::Tensor> by_value;
  by_value[unit_.output] = by_output;
  for (size_t i = unit_.nodes.size(); i-- > 0;) {
    const ir::Node& node = *unit_.nodes[i];
    const auto known = by_value.find(node.output());
    if (known == by_value.end() || !values_.at(node.output()).needs_gradient) continue;
    const Tensors by_inputs = tape_[i]->backward(known->second);
    tape_[i].reset();
    for (size_t input = 0; input < node.inputs.size(); ++input) {
      if (!by_inputs[input].defined()) continue;
      at::Tensor& sum = by_value[node.inputs[input]];
      sum = sum.defined() ? sum.add(by_inputs[input]) : by_inputs[input];
    }
    const auto number = layer_numbers_.find(&node);
    if (number != layer_numbers_.end()) by_weights[number->second] = by_inputs.back().contiguous();
  }
  // A layer that only decides which values are taken: no small change of it reaches the output.
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    at::Tensor& by_weight = by_weights[layer];
    if (!by_weight.defined()) by_weight = at::zeros_like(tensors_.at(layers_[layer]).front());
  }
  return by_weights;
}

}  // namespace ptq::passes
