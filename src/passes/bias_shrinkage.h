#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace ptq::passes {

/// What the bias of a layer is divided by before it is compared with the weights of its channel, by
/// the rule that the reference took from Vitis AI (reference-behaviour 6.4, sigma): from the
/// largest |bias|, the largest |weight|, and median and mean of R = |bias| / |weight| over all
/// weights, those below 1e-9 taken as 1e-9. `channel_axis` of the weight, float32, is that of the
/// bias.
double bias_shrinkage(const at::Tensor& weight, int64_t channel_axis, const at::Tensor& bias,
                      double largest_weight);

}  // namespace ptq::passes
