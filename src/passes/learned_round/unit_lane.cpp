#include "passes/learned_round/unit_lane.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "passes/learned_round/unit_network.h"
#include "ptq/ir/dim.h"

namespace ptq::passes {
namespace {

int64_t scratch_bytes(const std::vector<std::unique_ptr<LayerWeight>>& weights) {
  int64_t bytes = 0;
  for (const auto& layer : weights) {
    if (layer->convolution) bytes = std::max(bytes, layer->convolution->scratch_bytes());
  }
  return bytes;
}

}  // namespace

UnitPlan::Lane::Lane(QuantizedNetwork& network, const runtime::SweepUnit& unit,
                     const std::vector<std::unique_ptr<LayerWeight>>& weights,
                     const std::vector<quant::ScaleId>& scales, int64_t images, Planes planes)
    : table_(network.table),
      index_(network.graph),
      input_(unit.input),
      output_(unit.output),
      images_(images),
      planes_(planes),
      scratch_(at::empty({scratch_bytes(weights)}, at::kByte)),
      scales_(scales),
      by_scales_(scales.size()) {
  for (const auto& layer : weights) {
    if (layer->is_learned) by_weights_.push_back(at::empty({gradient_elements(*layer)}));
  }
  fuse_clamps(unit);
  add_value(network.graph, input_);
  for (const ir::Node* node : unit.nodes) {
    if (fused_.count(node) == 0) add_value(network.graph, node->output());
  }
  find_gradients(unit, weights);
  add_passes(unit, weights);
}

/// A clamp that only a quantizer reads happens there.
void UnitPlan::Lane::fuse_clamps(const runtime::SweepUnit& unit) {
  for (const ir::Node* node : unit.nodes) {
    if (!is_clamp(*node, planes_) || node->output() == output_) continue;
    const std::vector<ir::Node*>& users = index_.users(node->output());
    if (users.size() == 1 && is_quantized_in_lanes(*users[0], table_)) fused_.insert(node);
  }
}

ir::ValueId UnitPlan::Lane::source(ir::ValueId value) const {
  const ir::Node* producer = index_.producer(value);
  return fused_.count(producer) > 0 ? producer->inputs[0] : value;
}

/// A quantizer overwrites what only it reads. Nobody else needs that: a layer derives from what it
/// reads, and operations of LibTorch keep copies.
bool UnitPlan::Lane::is_in_place(const ir::Node& node) const {
  if (!is_quantized_in_lanes(node, table_)) return false;
  const ir::ValueId input = source(node.inputs[0]);
  return input != input_ && input != output_ && values_.count(input) > 0 &&
         index_.users(input).size() == 1;
}

void UnitPlan::Lane::add_value(const ir::Graph& graph, ir::ValueId value) {
  const ir::Node* producer = index_.producer(value);
  if (value != input_ && is_in_place(*producer)) {
    values_[value] = values_.at(source(producer->inputs[0]));
    return;
  }
  const auto sizes = ir::at_batch(graph.values[static_cast<size_t>(value)].shape, images_);
  const bool is_channels_last = planes_ == Planes::kChannelsLast && sizes.size() == 4;
  values_[value] =
      at::empty(sizes, at::TensorOptions(at::kFloat),
                is_channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

/// An input whose derivative takes the place of that by the output.
std::optional<ir::ValueId> UnitPlan::Lane::same_gradient(const ir::Node& node) const {
  if (is_in_place(node)) return source(node.inputs[0]);
  if (!node.is<ir::Add>()) return std::nullopt;
  for (const ir::ValueId input : node.inputs) {
    const auto known = values_.find(input);
    if (known == values_.end() || index_.users(input).size() > 1) continue;
    if (known->second.sizes() == values_.at(node.output()).sizes()) return input;
  }
  return std::nullopt;
}

double* UnitPlan::Lane::by_scale_of(const ir::Node& node) {
  if (!is_quantized_in_lanes(node, table_)) return nullptr;
  const quant::ScaleId scale = table_.at(node.as<ir::FakeQuantize>()->quantizer).scale;
  const auto place = std::find(scales_.begin(), scales_.end(), scale);
  return place == scales_.end() ? nullptr
                                : &by_scales_[static_cast<size_t>(place - scales_.begin())];
}

/// Derivatives are asked for between the first learned weight or scale and the output.
void UnitPlan::Lane::find_gradients(const runtime::SweepUnit& unit,
                                    const std::vector<std::unique_ptr<LayerWeight>>& weights) {
  std::unordered_set<ir::ValueId> depends;
  for (const auto& layer : weights) {
    if (layer->is_learned) depends.insert(layer->node->output());
  }
  for (const ir::Node* node : unit.nodes) {
    if (by_scale_of(*node) != nullptr) depends.insert(node->output());
    for (const ir::ValueId input : node->inputs) {
      if (depends.count(input) > 0) depends.insert(node->output());
    }
  }
  std::unordered_set<ir::ValueId> matters{output_};
  for (auto node = unit.nodes.rbegin(); node != unit.nodes.rend(); ++node) {
    const ir::ValueId output = (*node)->output();
    if (matters.count(output) == 0 || depends.count(output) == 0) continue;
    if (values_.count(output) > 0 && gradients_.count(output) == 0) {
      gradients_[output] = at::empty_like(values_.at(output));
    }
    const std::optional<ir::ValueId> same = same_gradient(**node);
    if (same && depends.count(*same) > 0) gradients_[*same] = gradients_.at(output);
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

LaneNode UnitPlan::Lane::lane_node(const ir::Node& node, std::vector<Sink> sinks) {
  LaneNode result;
  result.node = &node;
  result.images = images_;
  result.sinks = std::move(sinks);
  result.by_log_scale = by_scale_of(node);
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

const at::Tensor& UnitPlan::Lane::forward(const at::Tensor& input, const LaneStep& step) {
  values_.at(input_).copy_(input);
  for (const auto& pass : passes_) pass->forward(step);
  return values_.at(output_);
}

void UnitPlan::Lane::run(const at::Tensor& input, const LaneStep& step, const ByOutput& by_output) {
  const at::Tensor& output = forward(input, step);
  std::fill(by_scales_.begin(), by_scales_.end(), 0);
  const int64_t rows_an_image = output.size(0) / images_;
  by_output(output, step.first_image * rows_an_image, gradients_.at(output_));
  for (LanePass* pass : backward_) pass->backward();
}

}  // namespace ptq::passes
