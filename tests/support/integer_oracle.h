#pragma once

#include <ATen/core/Tensor.h>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

namespace ptq::testing {

/// A quantized network by the definition of integer arithmetic (quant/integer_arithmetic.h),
/// node by node, all sums exact, in float64 or in parts that float32 holds. It knows nothing of
/// plans, layouts or kernels. Every layer must read codes. Batch norm, softmax and layer norm (over
/// the last dimension), means, sigmoid, SiLU and GELU are computed one element after the other;
/// other operations are ATen's.
at::Tensor integer_oracle(const ir::Graph& graph, const quant::QuantizerTable& table,
                          const at::Tensor& images);

}  // namespace ptq::testing
