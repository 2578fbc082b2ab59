#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "ptq/ir/graph.h"

namespace ptq::backends {

/// Whether negative values come to a place. Formats without unsigned codes stay signed there too.
enum class Sign { kSigned, kUnsigned };

/// One attention: softmax(q kᵀ ...) v, found by its shape. Where all of it belongs to one module
/// (nn.MultiheadAttention, swin's window attention), the module's nodes are its region.
struct Attention {
  /// nn.MultiheadAttention, which holds a packed input projection, or code of the model's own.
  enum class Kind { kModule, kFunction };

  ir::Node* scores = nullptr;  // MatMul of queries and keys
  ir::Node* softmax = nullptr;
  ir::Node* context = nullptr;  // MatMul of attention weights and values
  /// Node of the region whose value leaves it; nullptr without a region.
  ir::Node* output = nullptr;
  Kind kind = Kind::kFunction;
};

/// A value that a product of an attention reads, and the dimension that the product sums over.
struct AttentionOperand {
  ir::Node* Attention::*product;
  size_t input;
  Sign sign;
  int64_t summed_axis;
};

/// Queries, keys (transposed already), attention weights, values.
inline constexpr std::array<AttentionOperand, 4> kAttentionOperands{{
    {&Attention::scores, 0, Sign::kSigned, -1},
    {&Attention::scores, 1, Sign::kSigned, -2},
    {&Attention::context, 0, Sign::kUnsigned, -1},
    {&Attention::context, 1, Sign::kSigned, -2},
}};

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
