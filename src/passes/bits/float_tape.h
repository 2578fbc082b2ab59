#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "passes/learned_round/operation.h"
#include "ptq/ir/graph.h"

namespace ptq::passes {

/// A float network that ran forward on one image, and its derivatives. FakeQuantize passes values
/// on, but each has a derivative of its own.
class FloatTape {
 public:
  /// `graph` outlives it; derivatives are asked for by the weights of these layers.
  FloatTape(const ir::Graph& graph, const std::unordered_set<const ir::Node*>& layers)
      : graph_(graph), layers_(layers) {}

  /// The logits [1, classes] of an image [1, 3, H, W].
  at::Tensor forward(const at::Tensor& image);
  /// From the derivative by the logits.
  void backward(const at::Tensor& by_logits);

  const at::Tensor& value(ir::ValueId value) const { return values_.at(value).value; }
  /// Undefined where the logits do not depend on it.
  at::Tensor by_value(ir::ValueId value) const;
  at::Tensor by_weight(const ir::Node& layer) const;

 private:
  struct Step {
    const ir::Node* node;
    /// None for FakeQuantize.
    std::unique_ptr<Operation> operation;
  };
  Step run(const ir::Node& node) const;
  void add(ir::ValueId value, const at::Tensor& derivative);

  const ir::Graph& graph_;
  const std::unordered_set<const ir::Node*>& layers_;
  std::vector<Step> steps_;
  std::unordered_map<ir::ValueId, Tracked> values_;
  std::unordered_map<ir::ValueId, at::Tensor> by_value_;
  std::unordered_map<const ir::Node*, at::Tensor> by_weight_;
};

}  // namespace ptq::passes
