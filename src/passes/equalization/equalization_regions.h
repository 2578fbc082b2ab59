#pragma once

#include <cstdint>
#include <vector>

#include "ptq/ir/graph.h"
#include "ptq/passes/equalize.h"
#include "ptq/passes/region_reports.h"

namespace ptq::passes {

/// Makes the channels [offset, offset + channels) of a region, all of its own.
struct EqualizationSource {
  ir::Node* node = nullptr;
  int64_t offset = 0;
  int64_t channels = 0;
};

/// Reads the channels [offset, offset + end - begin) of a region as its own [begin, end): where a
/// concat lies between, some of its own alone.
struct EqualizationSink {
  ir::Node* node = nullptr;
  int64_t begin = 0, end = 0;
  int64_t offset = 0;
};

/// A clamp (ir/clamp.h) that channels of a region pass: its [begin, end) along an axis this far
/// from the last are the region's [offset, offset + end - begin). Its bounds are scaled with them.
struct RegionClamp {
  ir::Node* node = nullptr;
  int64_t axis_from_end = 0;
  /// Channels it has along that axis.
  int64_t extent = 0;
  int64_t begin = 0, end = 0;
  int64_t offset = 0;
};

/// A value between sources and sinks, and the axis along which it holds channels of the region.
struct RegionValue {
  ir::ValueId value = 0;
  int64_t axis = 1;
};

/// Layers bound to the same factors: sources times k[c], sinks times 1 / k[c]. Both sorted by name,
/// each layer once.
struct EqualizationRegion {
  std::vector<EqualizationSource> sources;
  std::vector<EqualizationSink> sinks;
  int64_t channels = 0;
  /// By id, each once.
  std::vector<RegionValue> values = {};
  std::vector<RegionClamp> clamps = {};
};

struct EqualizationRegions {
  /// In the order of their first source; no two alike.
  std::vector<EqualizationRegion> regions;
  std::vector<RejectedRegion> rejected;
};

/// The regions of a graph without quantizers (reference-contract 6.4). They are the reference's,
/// but for those where it would change the network: operations behind a second concat count like
/// any other (section 10, row 37), channels are followed by axis (a concat or slice over positions
/// is none over channels, a product both of whose operands are scaled is a wall). Changes nothing;
/// nodes are those of `graph`.
EqualizationRegions find_equalization_regions(ir::Graph& graph, Clamps clamps = Clamps::kPass);

/// Its layers by name, each once.
RegionLayers names_of(const EqualizationRegion& region);

}  // namespace ptq::passes
