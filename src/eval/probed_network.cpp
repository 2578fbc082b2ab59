#include "eval/probed_network.h"

namespace ptq::eval {

ProbedNetwork::ProbedNetwork(NetworkView network, const std::vector<ir::ValueId>& seen,
                             runtime::Numerics numerics, runtime::Execution execution)
    : graph_(network.graph) {
  for (const ir::ValueId value : seen) add_probe(value);
  runtime::ExecutorOptions executor;
  executor.numerics = numerics;
  executor.observes = [this](const ir::Node& node) { return probes_.count(&node) != 0; };
  executor.observer = [this](const ir::Node& node, const at::Tensor& value, int /*lane*/) {
    values_[node.inputs[0]] = value.to(at::kCPU).to(at::kFloat).clone();
  };
  execution.threads = 1;  // one image is one piece, on one lane
  network_ = runtime::make_executor({graph_, network.table}, execution, executor);
}

const SeenValues& ProbedNetwork::run(const at::Tensor& image) {
  values_.clear();
  network_->run(image);
  return values_;
}

/// An executor shows the first input of a node, and some values are nobody's: so each gets a reader
/// of its own, which nobody reads.
void ProbedNetwork::add_probe(ir::ValueId value) {
  const ir::Index index(graph_);
  const ir::Node* producer = index.producer(value);
  const auto where =
      producer == nullptr ? graph_.nodes.begin() : std::next(index.position(*producer));
  probes_.insert(&graph_.insert(where, {"probe", "", ir::MulScalar{1}, {value}, {}},
                                graph_.values[static_cast<size_t>(value)].shape));
}

}  // namespace ptq::eval
