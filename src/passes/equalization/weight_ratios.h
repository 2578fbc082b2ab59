#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace ptq::passes {

/// Where R = |bias| / |weight| lies over all weights of a layer: what the reference, after Vitis
/// AI, decides from how much biases count towards ranges (reference-contract 6.4, sigma).
struct WeightRatios {
  double mean = 0;
  /// Weights with R at most 15, 30 and 100; of `count`.
  int64_t at_most_15 = 0, at_most_30 = 0, at_most_100 = 0;
  int64_t count = 0;
};

/// `weights` [channels, count] times `column_factors` [count]; weights below `smallest` [channels]
/// count as that much; `bias` [channels]. All float32, contiguous.
WeightRatios weight_ratios(const at::Tensor& weights, const at::Tensor& column_factors,
                           const at::Tensor& bias, const at::Tensor& smallest);

/// What the biases are divided by: sigma of reference-contract 6.4.
double bias_shrinkage(const WeightRatios& ratios, double largest_bias, double largest_weight);

}  // namespace ptq::passes
