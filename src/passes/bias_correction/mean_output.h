#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "ptq/ir/op.h"

namespace ptq::passes {

/// Channels of the input of a Conv, ConvTranspose or Linear.
int64_t input_channels(const ir::Op& op);

/// The mean of the output of `op` by output channel, with `weight` instead of its own and no bias,
/// given what its taps meet on average (passes/bias_correction/tap_means.h).
std::vector<double> mean_output(const ir::Op& op, const at::Tensor& weight,
                                const std::vector<double>& tap_means);

}  // namespace ptq::passes
