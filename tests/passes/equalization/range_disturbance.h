#pragma once

#include <ATen/ops/ones.h>

#include <cmath>
#include <functional>
#include <random>

#include "passes/equalization/equalization_factors.h"
#include "passes/equalization/equalization_regions.h"
#include "passes/equalization/scaled_layer.h"

namespace ptq::passes::testing {

/// Factors of a region's channels, [channels]; undefined leaves the region alone.
using RegionFactors = std::function<at::Tensor(const EqualizationRegion&)>;

/// Channels leave what makes them times k > 0, and what reads them divides by k: ranges differ from
/// channel to channel, and the network's function is the same. Returns the regions disturbed.
inline int disturb_ranges(ir::Graph& graph, const RegionFactors& factors) {
  const EqualizationRegions found = find_equalization_regions(graph);
  ScaledLayers layers(found.regions);
  int disturbed = 0;
  for (const EqualizationRegion& region : found.regions) {
    const at::Tensor k = factors(region);
    if (!k.defined()) continue;
    scale(region, layers, k);
    ++disturbed;
  }
  layers.write();
  return disturbed;
}

/// Log-uniform in [1 / largest, largest].
inline at::Tensor log_uniform(int64_t count, float largest, std::mt19937& random) {
  std::uniform_real_distribution<float> exponent(-std::log(largest), std::log(largest));
  at::Tensor factors = at::ones({count});
  float* data = factors.data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) data[i] = std::exp(exponent(random));
  return factors;
}

/// 1, but `factor` for `outliers` channels.
inline at::Tensor with_outliers(int64_t count, int64_t outliers, float factor,
                                std::mt19937& random) {
  std::uniform_int_distribution<int64_t> pick(0, count - 1);
  at::Tensor factors = at::ones({count});
  for (int64_t i = 0; i < outliers; ++i) factors[pick(random)] = factor;
  return factors;
}

}  // namespace ptq::passes::testing
