#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::backends {

/// One attention: softmax(q kᵀ ...) v, found by its shape. Where all of it belongs to one module
/// (nn.MultiheadAttention, swin's window attention), the module's nodes are its region.
struct Attention {
  ir::Node* scores = nullptr;  // MatMul of queries and keys
  ir::Node* softmax = nullptr;
  ir::Node* context = nullptr;  // MatMul of attention weights and values
  /// Node of the region whose value leaves it; nullptr without a region.
  ir::Node* output = nullptr;
};

/// The attentions of a graph, and which of them a node belongs to.
class AttentionMap {
 public:
  explicit AttentionMap(ir::Graph& graph);

  const std::vector<Attention>& all() const { return attentions_; }
  /// Position in all() of the region that holds `node`, or kOutside.
  int region_of(const ir::Node& node) const;
  static constexpr int kOutside = -1;

 private:
  void add(ir::Graph& graph, const ir::Index& index, Attention attention);

  std::vector<Attention> attentions_;
  std::unordered_map<const ir::Node*, int> regions_;
};

}  // namespace ptq::backends
