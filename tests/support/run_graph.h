#pragma once

#include <ATen/core/Tensor.h>

#include "ptq/runtime/executor.h"
#include "support/graph_builder.h"

namespace ptq::testing {

inline at::Tensor run_float(const ir::Graph& graph, const at::Tensor& images) {
  return runtime::make_interpreter(graph, {runtime::Numerics::kFloat, {}, 1})->run(images);
}

/// Random images for the graph's input.
inline at::Tensor images_for(const ir::Graph& graph, int64_t batch) {
  const ir::Dims& shape = graph.values[static_cast<size_t>(graph.input)].shape;
  return normals(ir::at_batch(shape, batch), 1, 7);
}

/// Largest difference over the largest magnitude of `expected`.
inline double relative_difference(const at::Tensor& actual, const at::Tensor& expected) {
  return actual.sub(expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

}  // namespace ptq::testing
