#include "passes/bits/float_tape.h"

#include <algorithm>
#include <utility>

namespace ptq::passes {

FloatTape::Step FloatTape::run(const ir::Node& node) const {
  std::vector<Tracked> inputs;
  for (const ir::ValueId value : node.inputs) inputs.push_back(values_.at(value));
  const ir::Weighted* layer = ir::weighted(node.op);
  if (layer == nullptr) return {&node, run_operation(node.op, inputs, 1)};
  const Tracked weight{layer->weight.value, layers_.count(&node) != 0};
  return {&node, run_layer(node.op, inputs.at(0), weight,
                           layer->bias ? layer->bias->value : at::Tensor())};
}

at::Tensor FloatTape::forward(const at::Tensor& image) {
  steps_.clear();
  values_.clear();
  values_[graph_.input] = {image, true};
  for (const ir::Node& node : graph_.nodes) {
    if (node.is<ir::FakeQuantize>()) {
      steps_.push_back({&node, nullptr});
      values_[node.output()] = values_.at(node.inputs.at(0));
      // Of a constant too.
      values_[node.output()].needs_gradient = true;
      continue;
    }
    steps_.push_back(run(node));
    const bool varies = layers_.count(&node) != 0 ||
                        std::any_of(node.inputs.begin(), node.inputs.end(), [&](ir::ValueId value) {
                          return values_.at(value).needs_gradient;
                        });
    values_[node.output()] = {steps_.back().operation->output(), varies};
  }
  return value(graph_.output);
}

void FloatTape::add(ir::ValueId value, const at::Tensor& derivative) {
  if (!derivative.defined() || !values_.at(value).needs_gradient) return;
  at::Tensor& sum = by_value_[value];
  sum = sum.defined() ? sum.add(derivative) : derivative;
}

void FloatTape::backward(const at::Tensor& by_logits) {
  by_value_.clear();
  by_weight_.clear();
  by_value_[graph_.output] = by_logits;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    const ir::Node& node = *step->node;
    const auto found = by_value_.find(node.output());
    if (found == by_value_.end()) continue;
    if (step->operation == nullptr) {
      add(node.inputs.at(0), found->second);
      continue;
    }
    const Tensors by_inputs = step->operation->backward(found->second);
    for (size_t i = 0; i < node.inputs.size(); ++i) add(node.inputs[i], by_inputs.at(i));
    if (layers_.count(&node) != 0) by_weight_[&node] = by_inputs.at(1);
  }
}

at::Tensor FloatTape::by_value(ir::ValueId value) const {
  const auto found = by_value_.find(value);
  return found == by_value_.end() ? at::Tensor() : found->second;
}

at::Tensor FloatTape::by_weight(const ir::Node& layer) const {
  const auto found = by_weight_.find(&layer);
  return found == by_weight_.end() ? at::Tensor() : found->second;
}

}  // namespace ptq::passes
