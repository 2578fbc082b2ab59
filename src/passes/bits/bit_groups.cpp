#include "passes/bits/bit_groups.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "quant/layer_quantizers.h"

namespace ptq::passes {
namespace {

/// Sets of quantizers that grow together.
class Sets {
 public:
  explicit Sets(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0); }

  void unite(ir::QuantizerId a, ir::QuantizerId b) {
    const auto [low, high] = std::minmax({root(a), root(b)});
    parent_[static_cast<size_t>(high)] = low;
  }
  ir::QuantizerId root(ir::QuantizerId id) const {
    while (parent_[static_cast<size_t>(id)] != id) id = parent_[static_cast<size_t>(id)];
    return id;
  }

 private:
  std::vector<ir::QuantizerId> parent_;
};

void unite_scales(const quant::QuantizerTable& table, Sets& sets) {
  std::unordered_map<quant::ScaleId, ir::QuantizerId> first;
  for (size_t i = 0; i < table.quantizers.size(); ++i) {
    const quant::Quantizer& quantizer = table.quantizers[i];
    if (quantizer.kind == quant::QuantizerKind::kBias) continue;
    const auto id = static_cast<ir::QuantizerId>(i);
    sets.unite(first.emplace(quantizer.scale, id).first->second, id);
    if (quantizer.truncation) sets.unite(quantizer.truncation->of, id);
  }
}

/// Layers with one weight, and linear layers with one input.
void unite_kernels(const ir::Graph& graph, Sets& sets) {
  std::map<const void*, ir::QuantizerId> by_weight;
  std::map<ir::ValueId, ir::QuantizerId> by_input;
  for (const ir::Node& node : graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) continue;
    const ir::QuantizerId id = layer->weight_quantizer;
    const void* weight = layer->weight.value.unsafeGetTensorImpl();
    sets.unite(by_weight.emplace(weight, id).first->second, id);
    if (node.is<ir::Linear>()) {
      sets.unite(by_input.emplace(node.inputs.at(0), id).first->second, id);
    }
  }
}

class Groups {
 public:
  explicit Groups(const QuantizedNetwork& network)
      : table_(network.table), sets_(network.table.quantizers.size()) {
    unite_scales(network.table, sets_);
    unite_kernels(network.graph, sets_);
    const std::vector<LayerCost> layers = layer_costs(network.graph);
    for (const ir::Node& node : network.graph.nodes) {
      const ir::Weighted* layer = ir::weighted(node.op);
      const auto* fake = node.as<ir::FakeQuantize>();
      if (layer != nullptr && layer->weight_quantizer != ir::kNoQuantizer) {
        if (BitGroup* group = group_of(layer->weight_quantizer)) group->layers.push_back(node.name);
      }
      if (fake != nullptr) group_of(fake->quantizer);
    }
    for (const LayerCost& layer : layers) add_reader(layer);
  }

  std::vector<BitGroup> take() {
    for (BitGroup& group : groups_) finish(group);
    std::stable_sort(groups_.begin(), groups_.end(),
                     [](const BitGroup& a, const BitGroup& b) { return a.kind < b.kind; });
    return std::move(groups_);
  }

 private:
  /// The quantizer's group, of which it is a member now; nullptr for minifloats.
  BitGroup* group_of(ir::QuantizerId id) {
    const quant::Quantizer& quantizer = table_.at(id);
    if (quantizer.integer() == nullptr) return nullptr;
    const auto [place, is_new] = places_.emplace(sets_.root(id), groups_.size());
    if (is_new) groups_.push_back({quantizer.kind, quantizer.layer, {}, {}});
    BitGroup& group = groups_[place->second];
    if (std::find(group.quantizers.begin(), group.quantizers.end(), id) == group.quantizers.end()) {
      group.quantizers.push_back(id);
    }
    return &group;
  }

  void add_reader(const LayerCost& layer) {
    for (const ir::QuantizerId id : layer.inputs) {
      BitGroup* group = group_of(id);
      if (group == nullptr) continue;
      const auto& layers = group->layers;
      if (std::find(layers.begin(), layers.end(), layer.layer) == layers.end()) {
        group->layers.push_back(layer.layer);
      }
    }
  }

  static void finish(BitGroup& group) {
    if (group.kind == quant::QuantizerKind::kWeight) group.name = group.layers.front();
    if (group.quantizers.size() > 1) {
      group.name += " +" + std::to_string(group.quantizers.size() - 1);
    }
    std::sort(group.quantizers.begin(), group.quantizers.end());
  }

  const quant::QuantizerTable& table_;
  Sets sets_;
  std::unordered_map<ir::QuantizerId, size_t> places_;
  std::vector<BitGroup> groups_;
};

int64_t elements(const ir::Graph& graph, ir::ValueId value) {
  int64_t count = 1;
  for (const int64_t size : ir::at_batch(graph.values.at(static_cast<size_t>(value)).shape, 1)) {
    count *= size;
  }
  return count;
}

}  // namespace

std::vector<BitGroup> bit_groups(const QuantizedNetwork& network) { return Groups(network).take(); }

int64_t products_of(const ir::Graph& graph, const ir::Node& node) {
  if (node.is<ir::MatMul>()) {
    const ir::Dims& shape = graph.values.at(static_cast<size_t>(node.inputs.at(0))).shape;
    return elements(graph, node.output()) * shape.back().at(1);
  }
  const ir::Weighted* layer = ir::weighted(node.op);
  if (layer == nullptr) return 0;
  const at::Tensor& weight = layer->weight.value;
  const bool is_transposed = node.is<ir::ConvTranspose>();
  const int64_t places = elements(graph, is_transposed ? node.inputs.at(0) : node.output());
  return places * (weight.numel() / weight.size(0));
}

std::vector<LayerCost> layer_costs(const ir::Graph& graph) {
  ir::Graph copy = graph;
  const ir::Index index(copy);
  std::vector<LayerCost> costs;
  for (const ir::Node& node : copy.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr || layer->weight_quantizer == ir::kNoQuantizer) continue;
    costs.push_back({node.name, layer->weight_quantizer, layer->weight.value,
                     quant::feeding_quantizers(index, node.inputs.at(0)), products_of(copy, node)});
  }
  return costs;
}

}  // namespace ptq::passes
