#include "passes/pass.h"

/// adaptive_avg_pool(out)  ->  avg_pool(kernel = in - stride (out - 1), stride = in / out)
///
/// The same windows where every extent is a whole multiple of the output's. A single window per
/// dimension gets stride 1. Pools that the model calls as functions are rewritten too: the
/// reference leaves those as they are because of the order of its steps, and the function is the
/// same.
namespace ptq::passes {
namespace {

/// Extents that are pooled; empty if one of them grows with the batch.
ir::Ints pooled_extents(const ir::Dims& shape, size_t rank) {
  ir::Ints extents;
  for (size_t dim = shape.size() - rank; dim < shape.size(); ++dim) {
    if (shape[dim].times_batch) return {};
    extents.push_back(shape[dim].value);
  }
  return extents;
}

std::optional<ir::AvgPool> match_adaptive_pool(const ir::Graph& graph, const ir::Node& node) {
  const auto* adaptive = node.as<ir::AdaptiveAvgPool>();
  if (adaptive == nullptr) return std::nullopt;
  const ir::Ints& out = adaptive->output_size;
  const ir::Dims& shape = graph.values[static_cast<size_t>(node.inputs[0])].shape;
  const ir::Ints in = pooled_extents(shape, out.size());
  if (in.empty()) return std::nullopt;
  ir::AvgPool pool;
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] % out[i] != 0) return std::nullopt;
    pool.stride.push_back(in[i] / out[i]);
    pool.kernel.push_back(in[i] - pool.stride[i] * (out[i] - 1));
  }
  pool.padding.assign(in.size(), 0);
  if (out == ir::Ints(out.size(), 1)) pool.stride = out;
  return pool;
}

}  // namespace

int AdaptiveToAvgPool::run(ir::Graph& graph) const {
  int changes = 0;
  for (ir::Node& node : graph.nodes) {
    const std::optional<ir::AvgPool> pool = match_adaptive_pool(graph, node);
    if (!pool) continue;
    node.op = *pool;
    ++changes;
  }
  return changes;
}

}  // namespace ptq::passes
