#include "passes/equalization/equalization_regions.h"

#include <algorithm>

#include "passes/equalization/channel_axis.h"
#include "passes/equalization/region_walk.h"

namespace ptq::passes {
namespace {

bool same(const EqualizationSource& a, const EqualizationSource& b) {
  return a.node == b.node && a.offset == b.offset;
}

bool same(const EqualizationSink& a, const EqualizationSink& b) {
  return a.node == b.node && a.begin == b.begin && a.end == b.end && a.offset == b.offset;
}

template <class Layer>
bool same(const std::vector<Layer>& a, const std::vector<Layer>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Layer& x, const Layer& y) { return same(x, y); });
}

bool contains(const std::vector<EqualizationRegion>& regions, const EqualizationRegion& region) {
  return std::any_of(regions.begin(), regions.end(), [&](const EqualizationRegion& other) {
    return same(other.sources, region.sources) && same(other.sinks, region.sinks);
  });
}

/// Those of one name stand side by side.
template <class Layer>
std::vector<std::string> names_of(const std::vector<Layer>& layers) {
  std::vector<std::string> names;
  for (const Layer& layer : layers) {
    if (names.empty() || names.back() != layer.node->name) names.push_back(layer.node->name);
  }
  return names;
}

}  // namespace

RegionLayers names_of(const EqualizationRegion& region) {
  return {names_of(region.sources), names_of(region.sinks), region.channels};
}

EqualizationRegions find_equalization_regions(ir::Graph& graph, Clamps clamps) {
  const ir::Index index(graph);
  const auto permutations = attention_permutations(graph);
  RegionWalk walk(graph, index, permutations, clamps);
  EqualizationRegions found;
  for (ir::Node& node : graph.nodes) {
    if (!channel_maker(node.op)) continue;
    const std::optional<EqualizationRegion> region = walk.from(node);
    if (!region) {
      found.rejected.push_back({node.name, walk.where(), walk.why()});
    } else if (!contains(found.regions, *region)) {
      found.regions.push_back(*region);
    }
  }
  return found;
}

}  // namespace ptq::passes
