#include "passes/learned_round/unit_lane.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <utility>

#include "passes/learned_round/unit_network.h"
#include "ptq/ir/dim.h"

namespace ptq::passes {
namespace {

bool has_planes(const std::vector<std::unique_ptr<LayerWeight>>& weights) {
  return std::any_of(weights.begin(), weights.end(),
                     [](const auto& layer) { return layer->convolution.has_value(); });
}

int64_t scratch_bytes(const std::vector<std::unique_ptr<LayerWeight>>& weights) {
  int64_t bytes = 0;
  for (const auto& layer : weights) {
    if (layer->convolution) bytes = std::max(bytes, layer->convolution->scratch_bytes());
  }
  return bytes;
}

}  // namespace

UnitPlan::Lane::Lane(ir::Graph& graph, const runtime::SweepUnit& unit,
                     const quant::QuantizerTable& table,
                     const std::vector<std::unique_ptr<LayerWeight>>& weights, int64_t images)
    : table_(table),
      index_(graph),
      input_(unit.input),
      output_(unit.output),
      images_(images),
      has_channels_last_(has_planes(weights)),
      scratch_(at::empty({scratch_bytes(weights)}, at::kByte)) {
  for (const auto& layer : weights) {
    if (layer->is_learned) by_weights_.push_back(at::empty({gradient_elements(*layer)}));
  }
  fuse_clamps(unit);
  add_value(graph, input_);
  for (const ir::Node* node : unit.nodes) {
    if (fused_.count(node) == 0) add_value(graph, node->output());
  }
  find_gradients(unit, weights);
  add_passes(unit, weights);
}

/// A clamp that only a quantizer reads happens there.
void UnitPlan::Lane::fuse_clamps(const runtime::SweepUnit& unit) {
  for (const ir::Node* node : unit.nodes) {
    if (!is_clamp(*node) || node->output() == output_) continue;
    const std::vector<ir::Node*>& users = index_.users(node->output());
    if (users.size() == 1 && is_quantized_in_lanes(*users[0], table_)) fused_.insert(node);
  }
}

ir::ValueId UnitPlan::Lane::source(ir::ValueId value) const {
  const ir::Node* producer = index_.producer(value);
  return fused_.count(producer) > 0 ? producer->inputs[0] : value;
}

void UnitPlan::Lane::add_value(const ir::Graph& graph, ir::ValueId value) {
  const auto sizes = ir::at_batch(graph.values[static_cast<size_t>(value)].shape, images_);
  const bool is_channels_last = has_channels_last_ && sizes.size() == 4;
  values_[value] =
      at::empty(sizes, at::TensorOptions(at::kFloat),
                is_channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

/// Derivatives are asked for between the first learned weight and the output.
void UnitPlan::Lane::find_gradients(const runtime::SweepUnit& unit,
                                    const std::vector<std::unique_ptr<LayerWeight>>& weights) {
  std::unordered_set<ir::ValueId> depends;
  for (const auto& layer : weights) {
    if (layer->is_learned) depends.insert(layer->node->output());
  }
  for (const ir::Node* node : unit.nodes) {
    for (const ir::ValueId input : node->inputs) {
      if (depends.count(input) > 0) depends.insert(node->output());
    }
  }
  std::unordered_set<ir::ValueId> matters{output_};
  for (auto node = unit.nodes.rbegin(); node != unit.nodes.rend(); ++node) {
    const ir::ValueId output = (*node)->output();
    if (matters.count(output) == 0 || depends.count(output) == 0) continue;
    if (values_.count(output) > 0) gradients_[output] = at::empty_like(values_.at(output));
    for (const ir::ValueId input : (*node)->inputs) matters.insert(input);
  }
}

/// Where a value has more than one reader, the one that runs first writes, and others add.
std::unordered_map<const ir::Node*, std::vector<Sink>> UnitPlan::Lane::sinks(
    const runtime::SweepUnit& unit) const {
  std::unordered_set<ir::ValueId> written{output_};
  std::unordered_map<const ir::Node*, std::vector<Sink>> sinks;
  for (auto node = unit.nodes.rbegin(); node != unit.nodes.rend(); ++node) {
    for (const ir::ValueId input : (*node)->inputs) {
      const auto gradient = gradients_.find(source(input));
      const bool asked = gradient != gradients_.end() && gradients_.count((*node)->output()) > 0;
      Sink sink;
      if (asked) sink = {gradient->second, !written.insert(source(input)).second};
      sinks[*node].push_back(sink);
    }
  }
  return sinks;
}

LaneNode UnitPlan::Lane::lane_node(const ir::Node& node, std::vector<Sink> sinks) const {
  LaneNode result;
  result.node = &node;
  result.images = images_;
  result.sinks = std::move(sinks);
  for (const ir::ValueId input : node.inputs) {
    const auto known = values_.find(source(input));
    result.inputs.push_back(
        known != values_.end() ? known->second : constant_value(index_, table_, input, images_));
  }
  result.output = values_.at(node.output());
  const auto gradient = gradients_.find(node.output());
  if (gradient != gradients_.end()) result.by_output = gradient->second;
  return result;
}

void UnitPlan::Lane::add_passes(const runtime::SweepUnit& unit,
                                const std::vector<std::unique_ptr<LayerWeight>>& weights) {
  auto by_node = sinks(unit);
  auto layer = weights.begin();
  auto by_weight = by_weights_.begin();
  uint32_t number = 0;
  for (const ir::Node* node : unit.nodes) {
    const uint32_t own = number++;
    if (fused_.count(node) > 0) continue;
    LaneNode memory = lane_node(*node, std::move(by_node[node]));
    memory.number = own;
    if (ir::weighted(node->op) != nullptr) {
      const at::Tensor gradient = (*layer)->is_learned ? *by_weight++ : at::Tensor();
      passes_.push_back(layer_pass(memory, **layer++, gradient, scratch_.data_ptr()));
    } else if (is_quantized_in_lanes(*node, table_)) {
      const ir::Node* before = index_.producer(node->inputs[0]);
      passes_.push_back(
          quantizer_pass(memory, table_, fused_.count(before) > 0 ? before : nullptr));
    } else {
      passes_.push_back(other_pass(memory, table_));
    }
    if (memory.by_output.defined()) backward_.push_back(passes_.back().get());
  }
  std::reverse(backward_.begin(), backward_.end());
}

void UnitPlan::Lane::run(const at::Tensor& input, const LaneStep& step, const ByOutput& by_output) {
  values_.at(input_).copy_(input);
  for (const auto& pass : passes_) pass->forward(step);
  const at::Tensor& output = values_.at(output_);
  const int64_t rows_an_image = output.size(0) / images_;
  by_output(output, step.first_image * rows_an_image, gradients_.at(output_));
  for (LanePass* pass : backward_) pass->backward();
}

}  // namespace ptq::passes
