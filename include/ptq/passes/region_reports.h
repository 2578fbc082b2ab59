#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What techniques say of the layers they change together.
namespace ptq::passes {

/// Layers that make the channels of some values, and layers that read them, by name.
struct RegionLayers {
  /// Empty where a multiplication in front of the layer that reads is all that makes the channels.
  std::vector<std::string> sources;
  std::vector<std::string> sinks;
  int64_t channels = 0;
};

/// A layer whose output was left out, where the search ended, and why.
struct RejectedRegion {
  std::string source;
  std::string at;
  std::string reason;
};

/// Range ratios are max r / min r over channels that are made and read by more than zeros: 1 where
/// all channels have the same range.
struct EqualizedRegion : RegionLayers {
  double range_ratio_before = 1;
  double range_ratio_after = 1;
};

struct SplitRegion : RegionLayers {
  /// Channels there are now in addition to `channels`.
  int64_t added = 0;
};

}  // namespace ptq::passes
