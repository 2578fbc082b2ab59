#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "eval/node_noise.h"
#include "ptq/runtime/execution.h"

namespace ptq::eval {

/// By value of the graph: float32 on the CPU.
using SeenValues = std::unordered_map<ir::ValueId, at::Tensor>;

/// A network some of whose values are seen.
class ProbedNetwork {
 public:
  ProbedNetwork(NetworkView network, const std::vector<ir::ValueId>& seen,
                runtime::Numerics numerics, runtime::Execution execution);
  ProbedNetwork(const ProbedNetwork&) = delete;
  ProbedNetwork& operator=(const ProbedNetwork&) = delete;

  /// [1, 3, H, W]; good until the next call.
  const SeenValues& run(const at::Tensor& image);

 private:
  void add_probe(ir::ValueId value);

  ir::Graph graph_;
  std::unordered_set<const ir::Node*> probes_;
  std::unique_ptr<runtime::Executor> network_;
  SeenValues values_;
};

}  // namespace ptq::eval
