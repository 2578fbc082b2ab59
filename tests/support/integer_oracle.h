#pragma once

#include <ATen/core/Tensor.h>

#include "ptq/quant/quantized_network.h"

namespace ptq::testing {

/// A quantized network by the definition of integer arithmetic (quant/integer_arithmetic.h),
/// node by node, all sums exact, in float64 or in parts that float32 holds. It knows nothing of
/// plans, layouts or kernels. Every layer must read codes. Batch norm, softmax and layer norm (over
/// the last dimension), means, sigmoid, SiLU and GELU are computed one element after the other;
/// other operations are ATen's.
at::Tensor integer_oracle(NetworkView network, const at::Tensor& images);

}  // namespace ptq::testing
