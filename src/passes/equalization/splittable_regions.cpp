#include "passes/equalization/splittable_regions.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "passes/equalization/channel_axis.h"

namespace ptq::passes {
namespace {

const ir::Dims& shape_of(const ir::Graph& graph, ir::ValueId value) {
  return graph.values[static_cast<size_t>(value)].shape;
}

bool is_ungrouped_layer(const ir::Op& op) {
  if (const auto* conv = std::get_if<ir::Conv>(&op)) return conv->groups == 1;
  if (const auto* conv = std::get_if<ir::ConvTranspose>(&op)) return conv->groups == 1;
  return std::holds_alternative<ir::Linear>(op);
}

/// Where a region cannot grow, and why; `why` is empty where it can.
struct Obstacle {
  std::string at, why;
};

/// Whether the sources make, and the sinks read, all of the channels, and no others.
Obstacle layer_in_the_way(const EqualizationRegion& region) {
  const char* kind = "normalizations and grouped convolutions are not split";
  for (const EqualizationSource& source : region.sources) {
    if (!is_ungrouped_layer(source.node->op)) return {source.node->name, kind};
    if (source.channels != region.channels)
      return {source.node->name, "it produces only a part of the channels"};
  }
  for (const EqualizationSink& sink : region.sinks) {
    if (!is_ungrouped_layer(sink.node->op)) return {sink.node->name, kind};
    if (sink.end - sink.begin != region.channels)
      return {sink.node->name, "it reads only a part of the channels"};
  }
  return {};
}

Obstacle value_in_the_way(const ir::Graph& graph, const EqualizationRegion& region) {
  for (const RegionValue& held : region.values) {
    const ir::Dim& extent = shape_of(graph, held.value)[static_cast<size_t>(held.axis)];
    if (extent == ir::Dim{region.channels, false}) continue;
    return {graph.values[static_cast<size_t>(held.value)].name, "it also holds other channels"};
  }
  return {};
}

Obstacle clamp_in_the_way(const EqualizationRegion& region) {
  if (region.clamps.empty()) return {};
  return {region.clamps.front().node->name, "halves of a channel are not clamped as the whole is"};
}

Obstacle attention_in_the_way(const EqualizationRegion& region,
                              const std::unordered_set<const ir::Node*>& attention_inputs) {
  for (const EqualizationSink& sink : region.sinks) {
    if (attention_inputs.count(sink.node) == 0) continue;
    return {sink.node->name, "the input of an attention is not split"};
  }
  return {};
}

/// Whether the operand has one number for all channels; `from_end` counts axes from the last one.
bool is_same_for_all(const ir::Dims& operand, size_t from_end) {
  return from_end > operand.size() || operand[operand.size() - from_end] == ir::Dim{1, false};
}

Obstacle product_in_the_way(const ir::Graph& graph, const ir::Index& index,
                            const EqualizationRegion& region) {
  for (const RegionValue& held : region.values) {
    const size_t from_end = shape_of(graph, held.value).size() - static_cast<size_t>(held.axis);
    for (const ir::Node* user : index.users(held.value)) {
      if (!user->is<ir::Mul>()) continue;
      for (const ir::ValueId operand : user->inputs) {
        if (operand != held.value && !is_same_for_all(shape_of(graph, operand), from_end)) {
          return {user->name, "the other factor would have to grow as well"};
        }
      }
    }
  }
  return {};
}

/// A module that is called twice has two nodes and one weight.
const std::string& identity(const ir::Node& node) {
  const ir::Weighted* layer = ir::weighted(node.op);
  return layer != nullptr ? layer->weight.name : node.name;
}

/// By layer, the regions it is in.
using Memberships = std::map<std::string, std::set<size_t>>;

/// The layers of regions, by the role they have there.
class SharedLayers {
 public:
  explicit SharedLayers(const std::vector<EqualizationRegion>& regions) {
    for (size_t i = 0; i < regions.size(); ++i) {
      for (const auto& source : regions[i].sources) sources_[identity(*source.node)].insert(i);
      for (const auto& sink : regions[i].sinks) sinks_[identity(*sink.node)].insert(i);
    }
  }

  Obstacle in_the_way(const EqualizationRegion& region) const {
    const char* why = "the layer also belongs to another region";
    for (const EqualizationSource& source : region.sources) {
      if (in_two(sources_, *source.node)) return {source.node->name, why};
    }
    for (const EqualizationSink& sink : region.sinks) {
      if (in_two(sinks_, *sink.node)) return {sink.node->name, why};
    }
    return {};
  }

 private:
  static bool in_two(const Memberships& regions_of, const ir::Node& node) {
    return regions_of.at(identity(node)).size() > 1;
  }

  Memberships sources_, sinks_;
};

}  // namespace

EqualizationRegions splittable_regions(ir::Graph& graph) {
  const ir::Index index(graph);
  const auto attention = attention_inputs(graph);
  EqualizationRegions found = find_equalization_regions(graph);
  const SharedLayers shared(found.regions);
  std::vector<EqualizationRegion> splittable;
  for (EqualizationRegion& region : found.regions) {
    Obstacle obstacle = shared.in_the_way(region);
    if (obstacle.why.empty()) obstacle = layer_in_the_way(region);
    if (obstacle.why.empty()) obstacle = value_in_the_way(graph, region);
    if (obstacle.why.empty()) obstacle = clamp_in_the_way(region);
    if (obstacle.why.empty()) obstacle = attention_in_the_way(region, attention);
    if (obstacle.why.empty()) obstacle = product_in_the_way(graph, index, region);
    if (obstacle.why.empty()) {
      splittable.push_back(std::move(region));
    } else {
      found.rejected.push_back({region.sources.front().node->name, obstacle.at, obstacle.why});
    }
  }
  found.regions = std::move(splittable);
  return found;
}

}  // namespace ptq::passes
