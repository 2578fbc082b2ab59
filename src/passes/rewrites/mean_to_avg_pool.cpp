#include <algorithm>

#include "passes/pass.h"

/// x.mean([2, 3])  ->  adaptive_avg_pool(1, 1), reshape [N, C]
namespace ptq::passes {
namespace {

bool match_mean(const ir::Graph& graph, const ir::Node& node) {
  const auto* mean = node.as<ir::Mean>();
  if (mean == nullptr || mean->keepdim || mean->dims.size() != 2) return false;
  if (graph.values[static_cast<size_t>(node.inputs[0])].shape.size() != 4) return false;
  ir::Ints dims = mean->dims;
  for (int64_t& dim : dims) dim = dim < 0 ? dim + 4 : dim;
  std::sort(dims.begin(), dims.end());
  return dims == ir::Ints{2, 3};
}

void rewrite(ir::Graph& graph, ir::Graph::Position mean) {
  ir::Dims pooled = graph.values[static_cast<size_t>(mean->inputs[0])].shape;
  pooled[2] = pooled[3] = {1, false};
  ir::Node pool{mean->name + ".pool", mean->module, ir::AdaptiveAvgPool{{1, 1}}, mean->inputs, {}};
  const ir::ValueId value = graph.insert(mean, std::move(pool), pooled).output();
  mean->op = ir::Reshape{graph.values[static_cast<size_t>(mean->output())].shape};
  mean->inputs = {value};
}

}  // namespace

int MeanToAvgPool::run(ir::Graph& graph) const {
  int changes = 0;
  for (auto node = graph.nodes.begin(); node != graph.nodes.end(); ++node) {
    if (!match_mean(graph, *node)) continue;
    rewrite(graph, node);
    ++changes;
  }
  return changes;
}

}  // namespace ptq::passes
