#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ptq/ir/graph.h"

namespace ptq::testing {

/// Whether a node takes means: an average pool over one or two dimensions, or a mean.
bool takes_means(const ir::Node& node);

/// Of a node that takes means: the sum of every window, one element after the other in the order of
/// their indices, in the type of `in` (float32 or float64), and what it is to be divided by.
struct WindowSums {
  at::Tensor sums, counts;
};

WindowSums window_sums(const ir::Node& node, const at::Tensor& in, int64_t batch);

}  // namespace ptq::testing
