#include <algorithm>
#include <set>

#include "passes/equalization/channel_axis.h"
#include "passes/equalization/equalization_factors.h"
#include "passes/equalization/input_ranges.h"
#include "ptq/passes/equalize.h"

/// kGraph:     conv(W1, b1) -> relu -> conv(W2)  becomes
///             conv(k W1, k b1) -> relu -> conv(W2 / k)
/// kLayerwise: conv(W)                           becomes  mul(k) -> conv(W / k)
///   k = r_weight^(1 - alpha) / r_activation^alpha          (reference-contract 6.5)
namespace ptq::passes {
namespace {

const ir::Dims& input_shape(const ir::Graph& graph, const ir::Node& node) {
  return graph.values[static_cast<size_t>(node.inputs[0])].shape;
}

/// Where a layer of a region has its channels; none for normalizations.
enum class ChannelPlace { kSecond, kLast };

std::set<ChannelPlace> channel_places(const EqualizationRegion& region) {
  std::set<ChannelPlace> places;
  const auto note = [&](const ir::Node& node) {
    if (ir::weighted(node.op) == nullptr) return;
    places.insert(node.is<ir::Linear>() ? ChannelPlace::kLast : ChannelPlace::kSecond);
  };
  for (const EqualizationSource& source : region.sources) note(*source.node);
  for (const EqualizationSink& sink : region.sinks) note(*sink.node);
  return places;
}

/// Why a region has no activation of its own; empty if it has. The rules are the reference's.
std::string obstacle(const ir::Graph& graph, const EqualizationRegion& region) {
  if (channel_places(region).size() > 1) {
    return "convolutions and linear layers have their channels at different places";
  }
  const ir::Dims& shape = input_shape(graph, *region.sinks.front().node);
  for (const EqualizationSink& sink : region.sinks) {
    if (!(input_shape(graph, *sink.node) == shape)) {
      return "the layers that read it have inputs of different shapes";
    }
    const auto axis = static_cast<size_t>(channel_axis(sink.node->op, shape.size()));
    if (sink.begin != 0 || shape.at(axis).value != region.channels) {
      return "a layer reads more channels than the region has";
    }
  }
  return "";
}

class Equalization {
 public:
  Equalization(ir::Graph& graph, const ActivationEqualizationOptions& options)
      : graph_(graph), options_(options) {
    if (options.mode == ActivationEqualization::kGraph) {
      find_regions();
    } else {
      find_layers();
    }
  }

  ActivationEqualizationReport run(const NextBatch& next_batch);

 private:
  void find_regions();
  void find_layers();
  std::vector<ir::Node*> readers() const;
  void put_before(ir::Graph::Position layer, const at::Tensor& factors);
  void describe(const EqualizationRegion& region, double before, double after);

  ir::Graph& graph_;
  const ActivationEqualizationOptions& options_;
  std::vector<EqualizationRegion> regions_;
  ActivationEqualizationReport report_;
};

void Equalization::find_regions() {
  const EqualizationRegions found = find_equalization_regions(graph_);
  report_.rejected = found.rejected;
  for (const EqualizationRegion& region : found.regions) {
    const std::string why = obstacle(graph_, region);
    if (why.empty()) {
      regions_.push_back(region);
    } else {
      const std::string& source = region.sources.front().node->name;
      report_.rejected.push_back({source, region.sinks.front().node->name, why});
    }
  }
}

/// An attention is equalized where it is entered.
void Equalization::find_layers() {
  const auto within = attention_outputs(graph_);
  for (ir::Node& node : graph_.nodes) {
    if (ir::weighted(node.op) == nullptr || within.count(&node) != 0) continue;
    if (!input_channel_axis(node.op)) {
      report_.rejected.push_back(
          {node.name, node.name, "a grouped convolution cannot divide its input channels"});
      continue;
    }
    const ir::Dims& shape = input_shape(graph_, node);
    const auto axis = static_cast<size_t>(channel_axis(node.op, shape.size()));
    const int64_t channels = shape.at(axis).value;
    regions_.push_back({{}, {{&node, 0, channels, 0}}, channels});
  }
}

std::vector<ir::Node*> Equalization::readers() const {
  std::vector<ir::Node*> nodes;
  for (const EqualizationRegion& region : regions_) {
    for (const EqualizationSink& sink : region.sinks) {
      if (std::find(nodes.begin(), nodes.end(), sink.node) == nodes.end()) {
        nodes.push_back(sink.node);
      }
    }
  }
  return nodes;
}

void Equalization::put_before(ir::Graph::Position layer, const at::Tensor& factors) {
  const ir::Dims shape = input_shape(graph_, *layer);
  const auto axis = static_cast<size_t>(channel_axis(layer->op, shape.size()));
  std::vector<int64_t> sizes(shape.size(), 1);
  sizes[axis] = factors.numel();
  ir::Dims constant_shape(shape.size(), ir::Dim{1, false});
  constant_shape[axis] = shape[axis];
  const std::string name = layer->name + ".input_factors";
  const ir::Constant constant{{name, factors.view(sizes)}};
  const ir::Node& kept =
      graph_.insert(layer, {name, layer->module, constant, {}, {}}, constant_shape);
  const ir::Node& product = graph_.insert(
      layer,
      {layer->name + ".equalize", layer->module, ir::Mul{}, {layer->inputs[0], kept.output()}, {}},
      shape);
  layer->inputs[0] = product.output();
}

void Equalization::describe(const EqualizationRegion& region, double before, double after) {
  report_.regions.push_back({names_of(region), before, after});
  report_.range_ratio_before = std::max(report_.range_ratio_before, before);
  report_.range_ratio_after = std::max(report_.range_ratio_after, after);
}

ActivationEqualizationReport Equalization::run(const NextBatch& next_batch) {
  const InputRanges ranges = input_ranges(graph_, readers(), options_.execution, next_batch);
  ScaledLayers layers(regions_);
  for (const EqualizationRegion& region : regions_) {
    at::Tensor activation = ranges.at(region.sinks.front().node);
    for (const EqualizationSink& sink : region.sinks) {
      activation = activation.maximum(ranges.at(sink.node));
    }
    const at::Tensor reads = sink_range(region, layers);
    const at::Tensor factors = equalization_factors(activation, reads, options_.alpha);
    describe(region, range_ratio(activation, reads), range_ratio(activation.mul(factors), reads));
    scale(region, layers, factors);
    if (options_.mode == ActivationEqualization::kLayerwise) {
      put_before(ir::Index(graph_).position(*region.sinks.front().node), factors);
    }
  }
  layers.write();
  report_.layers = layers.size();
  ir::verify(graph_);
  return report_;
}

}  // namespace

ActivationEqualizationReport equalize_activations(ir::Graph& graph,
                                                  const ActivationEqualizationOptions& options,
                                                  const NextBatch& next_batch) {
  return Equalization(graph, options).run(next_batch);
}

}  // namespace ptq::passes
