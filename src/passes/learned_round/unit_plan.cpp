#include "passes/learned_round/unit_plan.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <unordered_set>

#include "ir/facts.h"
#include "passes/learned_round/blocks.h"
#include "passes/learned_round/scale_learning.h"
#include "passes/learned_round/unit_lane.h"
#include "quant/layer_quantizers.h"
#include "runtime/onednn/one_thread.h"

namespace ptq::passes {
namespace {

/// More sums than cores would help nobody, and each holds all derivatives.
constexpr int64_t kMostSums = 8;
/// Of the largest value in a lane: with what is made of it, it stays in the cache of a core.
constexpr int64_t kBytesAtOnce = 1 << 20;

const ir::Dims& shape_of(const ir::Graph& graph, ir::ValueId value) {
  return graph.values[static_cast<size_t>(value)].shape;
}

bool has_images_first(const ir::Dims& shape) {
  if (shape.empty() || !shape[0].times_batch) return false;
  return std::none_of(shape.begin() + 1, shape.end(),
                      [](const ir::Dim& dim) { return dim.times_batch; });
}

std::optional<runtime::TrainableConvolution> convolution_of(const ir::Graph& graph,
                                                            const ir::Node& node, int64_t images) {
  const auto* conv = node.as<ir::Conv>();
  if (conv == nullptr || conv->stride.size() != 2) return std::nullopt;
  runtime::ConvolutionShape shape;
  shape.in = ir::at_batch(shape_of(graph, node.inputs[0]), images);
  shape.out = ir::at_batch(shape_of(graph, node.output()), images);
  shape.weight = conv->weight.value.sizes().vec();
  shape.stride = conv->stride;
  shape.padding = conv->padding;
  shape.dilation = conv->dilation;
  shape.groups = conv->groups;
  return runtime::TrainableConvolution(shape);
}

LayerWeight layer_weight(const QuantizedNetwork& network, const ir::Index& index,
                         const ir::Node& node, int64_t images) {
  const quant::LayerTensors tensors = quant::quantized_layer_tensors(index, node, network.table);
  LayerWeight layer{&node, is_rounded(node), tensors.weight, tensors.bias,
                    convolution_of(network.graph, node, images)};
  const bool adds_bias = layer.convolution || node.is<ir::Linear>();
  if (!layer.bias.defined() && adds_bias) layer.bias = at::zeros({tensors.weight.size(0)});
  if (layer.bias.defined()) layer.bias = layer.bias.contiguous();
  layer.set(tensors.weight);
  return layer;
}

/// Quantizers whose scale follows from another one's.
std::unordered_set<quant::ScaleId> truncated_scales(const quant::QuantizerTable& table) {
  std::unordered_set<quant::ScaleId> scales;
  for (const quant::Quantizer& quantizer : table.quantizers) {
    if (quantizer.truncation) scales.insert(table.at(quantizer.truncation->of).scale);
  }
  return scales;
}

/// Scales of any value that quantizers of the unit alone have.
std::vector<quant::ScaleId> own_scales(const QuantizedNetwork& network,
                                       const runtime::SweepUnit& unit) {
  const quant::QuantizerTable& table = network.table;
  std::unordered_set<const ir::Node*> inside(unit.nodes.begin(), unit.nodes.end());
  std::unordered_set<quant::ScaleId> taken = truncated_scales(table);
  for (const ir::Node& node : network.graph.nodes) {
    const auto* fake = node.as<ir::FakeQuantize>();
    if (fake != nullptr && inside.count(&node) == 0) taken.insert(table.at(fake->quantizer).scale);
  }
  std::vector<quant::ScaleId> scales;
  for (const ir::Node* node : unit.nodes) {
    if (!is_quantized_in_lanes(*node, table)) continue;
    const quant::Quantizer& quantizer = table.at(node->as<ir::FakeQuantize>()->quantizer);
    if (quantizer.scale_type != quant::ScaleType::kFloat) continue;
    if (taken.insert(quantizer.scale).second) scales.push_back(quantizer.scale);
  }
  return scales;
}

/// use(i) for each of `count`, over the cores.
template <class Use>
void for_each(int64_t count, const Use& use) {
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) use(static_cast<size_t>(i));
  });
}

}  // namespace

bool UnitPlan::fits(const ir::Graph& graph, const runtime::SweepUnit& unit) {
  const std::vector<bool> floats = ir::float_values(graph);
  return has_images_first(shape_of(graph, unit.input)) &&
         std::all_of(unit.nodes.begin(), unit.nodes.end(), [&](const ir::Node* node) {
           return floats[static_cast<size_t>(node->output())] &&
                  has_images_first(shape_of(graph, node->output()));
         });
}

UnitPlan::UnitPlan(QuantizedNetwork& network, const runtime::SweepUnit& unit, Step step)
    : images_(step.images), at_once_(images_at_once(network.graph, unit)) {
  if (step.learns_scales) scales_ = own_scales(network, unit);
  least_scales_ = least_for_biases(network, scales_);
  by_scales_.resize(static_cast<size_t>(images_ / at_once_));
  const ir::Index index(network.graph);
  for (ir::Node* node : unit.nodes) {
    if (ir::weighted(node->op) == nullptr) continue;
    weights_.push_back(
        std::make_unique<LayerWeight>(layer_weight(network, index, *node, at_once_)));
    if (!weights_.back()->is_learned) continue;
    layers_.push_back(node);
    learned_.push_back(weights_.back().get());
  }
  const int64_t sums = std::min(kMostSums, images_ / at_once_);
  for (int64_t sum = 0; sum < sums; ++sum) {
    Tensors by_layer;
    for (const LayerWeight* layer : learned_) {
      by_layer.push_back(at::empty({gradient_elements(*layer)}));
    }
    sums_.push_back(std::move(by_layer));
  }
  const int64_t lanes = std::min<int64_t>(sums, at::get_num_threads());
  for (int64_t lane = 0; lane < lanes; ++lane) {
    lanes_.push_back(std::make_unique<Lane>(network, unit, weights_, scales_, at_once_, planes()));
  }
}

UnitPlan::~UnitPlan() = default;

Planes UnitPlan::planes() const {
  const bool has_planes = std::any_of(weights_.begin(), weights_.end(), [](const auto& layer) {
    return layer->convolution.has_value();
  });
  return has_planes ? Planes::kChannelsLast : Planes::kRowMajor;
}

int64_t UnitPlan::images_at_once(const ir::Graph& graph, const runtime::SweepUnit& unit) const {
  int64_t largest = 1;
  for (const ir::Node* node : unit.nodes) {
    int64_t numbers = 1;
    for (const int64_t extent : ir::at_batch(shape_of(graph, node->output()), 1)) numbers *= extent;
    largest = std::max<int64_t>(largest, numbers * static_cast<int64_t>(sizeof(float)));
  }
  const int64_t wanted = std::max<int64_t>(1, kBytesAtOnce / largest);
  // At least two groups, for two cores.
  int64_t at_once = std::min(wanted, std::max<int64_t>(1, images_ / 2));
  while (images_ % at_once != 0) --at_once;
  return at_once;
}

void UnitPlan::run_lane(size_t lane, const at::Tensor& input, const Dropping& dropping,
                        const ByOutput& by_output) {
  const runtime::OneThread one_thread;
  const auto groups = static_cast<size_t>(images_ / at_once_);
  const int64_t rows_an_image = input.size(0) / images_;
  for (size_t s = lane * sums_.size() / lanes_.size();
       s < (lane + 1) * sums_.size() / lanes_.size(); ++s) {
    const size_t first = s * groups / sums_.size();
    for (size_t group = first; group < (s + 1) * groups / sums_.size(); ++group) {
      const auto image = static_cast<int64_t>(group) * at_once_;
      lanes_[lane]->run(input.narrow(0, image * rows_an_image, at_once_ * rows_an_image),
                        {dropping, image}, by_output);
      by_scales_[group] = lanes_[lane]->by_scales();
      for (size_t layer = 0; layer < layers_.size(); ++layer) {
        const at::Tensor& own = lanes_[lane]->by_weights()[layer];
        group == first ? sums_[s][layer].copy_(own) : sums_[s][layer].add_(own);
      }
    }
  }
}

void UnitPlan::set(const Tensors& weights) {
  for_each(static_cast<int64_t>(learned_.size()),
           [&](size_t layer) { learned_[layer]->set(weights.at(layer)); });
}

at::Tensor UnitPlan::forward(const at::Tensor& input, int64_t images, const Tensors& weights) {
  set(weights);
  const auto groups = static_cast<size_t>(images / at_once_);
  const int64_t rows = input.size(0) / static_cast<int64_t>(groups);
  Tensors outputs(groups);
  for_each(static_cast<int64_t>(lanes_.size()), [&](size_t lane) {
    const runtime::OneThread one_thread;
    for (size_t group = lane * groups / lanes_.size(); group < (lane + 1) * groups / lanes_.size();
         ++group) {
      const auto first = static_cast<int64_t>(group) * rows;
      outputs[group] = lanes_[lane]->forward(input.narrow(0, first, rows), {}).clone();
    }
  });
  return at::cat(outputs);
}

UnitPlan::Gradients UnitPlan::gradients(const at::Tensor& input, const Tensors& weights,
                                        const Dropping& dropping, const ByOutput& by_output) {
  set(weights);
  for_each(static_cast<int64_t>(lanes_.size()),
           [&](size_t lane) { run_lane(lane, input, dropping, by_output); });
  Gradients result{Tensors(learned_.size()), std::vector<double>(scales_.size())};
  for_each(static_cast<int64_t>(learned_.size()), [&](size_t layer) {
    for (size_t s = 1; s < sums_.size(); ++s) sums_[0][layer].add_(sums_[s][layer]);
    result.by_weights[layer] = learned_[layer]->unpacked(sums_[0][layer]);
  });
  for (const std::vector<double>& group : by_scales_) {
    for (size_t i = 0; i < group.size(); ++i) result.by_scales[i] += group[i];
  }
  return result;
}

}  // namespace ptq::passes
