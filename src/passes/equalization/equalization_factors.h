#pragma once

#include <ATen/core/Tensor.h>

#include "passes/equalization/equalization_regions.h"
#include "passes/equalization/scaled_layer.h"

/// The equation of equalization (reference-contract 6.4):
///
///   k[c] = r_sink[c]^(1 - alpha) / r_source[c]^alpha
///
/// float32. Channels that nothing but zeros makes or reads (r <= 1e-9) keep k = 1.
namespace ptq::passes {

/// Per channel of the region, [channels]; -1 where no layer has it.
at::Tensor source_range(const EqualizationRegion& region, ScaledLayers& layers,
                        MergeBias merge_bias);
at::Tensor sink_range(const EqualizationRegion& region, ScaledLayers& layers);

at::Tensor equalization_factors(const at::Tensor& source_range, const at::Tensor& sink_range,
                                double alpha);

/// Largest over smallest of `source_range` over channels with k of their own; 1 if there is none.
double range_ratio(const at::Tensor& source_range, const at::Tensor& sink_range);

/// W[c] and b[c] of sources and ceilings of clamps times k[c], W[:, c] of sinks times 1 / k[c].
void scale(const EqualizationRegion& region, ScaledLayers& layers, const at::Tensor& factors);

}  // namespace ptq::passes
