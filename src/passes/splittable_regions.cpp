#include "passes/splittable_regions.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "passes/channel_axis.h"

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

/// Whether the sources make, and the sinks read, all of the channels.
bool has_whole_layers(const ir::Graph& graph, const EqualizationRegion& region) {
  const auto makes_all = [&](const EqualizationSource& source) {
    return is_ungrouped_layer(source.node->op) && source.channels == region.channels;
  };
  const auto reads_all = [&](const EqualizationSink& sink) {
    return is_ungrouped_layer(sink.node->op) && sink.end - sink.begin == region.channels;
  };
  const auto holds_all = [&](const RegionValue& held) {
    const ir::Dims& shape = shape_of(graph, held.value);
    return shape[static_cast<size_t>(held.axis)] == ir::Dim{region.channels, false};
  };
  return std::all_of(region.sources.begin(), region.sources.end(), makes_all) &&
         std::all_of(region.sinks.begin(), region.sinks.end(), reads_all) &&
         std::all_of(region.values.begin(), region.values.end(), holds_all);
}

bool reads_attention(const EqualizationRegion& region,
                     const std::unordered_set<const ir::Node*>& attention_inputs) {
  return std::any_of(region.sinks.begin(), region.sinks.end(), [&](const EqualizationSink& sink) {
    return attention_inputs.count(sink.node) != 0;
  });
}

/// Whether the operand has one number for all channels; `from_end` counts axes from the last one.
bool is_same_for_all(const ir::Dims& operand, size_t from_end) {
  return from_end > operand.size() || operand[operand.size() - from_end] == ir::Dim{1, false};
}

bool is_multiplied_by_channel(const ir::Graph& graph, const ir::Index& index,
                              const EqualizationRegion& region) {
  for (const RegionValue& held : region.values) {
    const size_t from_end = shape_of(graph, held.value).size() - static_cast<size_t>(held.axis);
    for (const ir::Node* user : index.users(held.value)) {
      if (!user->is<ir::Mul>()) continue;
      for (const ir::ValueId operand : user->inputs) {
        if (operand != held.value && !is_same_for_all(shape_of(graph, operand), from_end)) {
          return true;
        }
      }
    }
  }
  return false;
}

/// A module that is called twice has two nodes and one weight.
const std::string& identity(const ir::Node& node) {
  const ir::Weighted* layer = ir::weighted(node.op);
  return layer != nullptr ? layer->weight.name : node.name;
}

/// By layer, the regions it is in.
using Memberships = std::map<std::string, std::set<size_t>>;

bool in_two(const Memberships& regions_of, const ir::Node& node) {
  return regions_of.at(identity(node)).size() > 1;
}

std::vector<EqualizationRegion> without_shared_layers(
    const std::vector<EqualizationRegion>& regions) {
  Memberships of_source, of_sink;
  for (size_t i = 0; i < regions.size(); ++i) {
    for (const auto& source : regions[i].sources) of_source[identity(*source.node)].insert(i);
    for (const auto& sink : regions[i].sinks) of_sink[identity(*sink.node)].insert(i);
  }
  std::vector<EqualizationRegion> alone;
  for (const EqualizationRegion& region : regions) {
    const auto shares_source = [&](const auto& source) { return in_two(of_source, *source.node); };
    const auto shares_sink = [&](const auto& sink) { return in_two(of_sink, *sink.node); };
    if (std::none_of(region.sources.begin(), region.sources.end(), shares_source) &&
        std::none_of(region.sinks.begin(), region.sinks.end(), shares_sink)) {
      alone.push_back(region);
    }
  }
  return alone;
}

}  // namespace

std::vector<EqualizationRegion> splittable_regions(ir::Graph& graph) {
  const ir::Index index(graph);
  const auto attention = attention_inputs(graph);
  std::vector<EqualizationRegion> splittable;
  for (EqualizationRegion& region :
       without_shared_layers(find_equalization_regions(graph).regions)) {
    if (has_whole_layers(graph, region) && !reads_attention(region, attention) &&
        !is_multiplied_by_channel(graph, index, region)) {
      splittable.push_back(std::move(region));
    }
  }
  return splittable;
}

}  // namespace ptq::passes
