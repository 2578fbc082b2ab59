#pragma once

#include <string>

#include "support/network_builder.h"

namespace ptq::backends::testing {

/// Whose parameter the weight of the input projection is: that of nn.MultiheadAttention itself, or
/// of a layer within a module of the model's own.
enum class Projection { kPacked, kLayer };

/// One head of self-attention over 5 tokens of 8 features, all of it in module "attn".
inline ir::ValueId attention(ptq::testing::NetworkBuilder& net, ir::ValueId x,
                             Projection projection = Projection::kLayer) {
  ir::Linear in_proj;
  const bool packed = projection == Projection::kPacked;
  in_proj.weight = net.parameter(packed ? "attn.in_proj_weight" : "attn.in_proj.weight", {24, 8});
  in_proj.bias = net.parameter(packed ? "attn.in_proj_bias" : "attn.in_proj.bias", {24});
  const ir::ValueId projected = net.add("attn.in_proj", in_proj, {x}, "attn");
  const auto part = [&](const std::string& name, int64_t begin) {
    const ir::Slice slice{2, {begin, false}, {begin + 8, false}, 1};
    return net.add("attn." + name, slice, {projected}, "attn");
  };
  const ir::ValueId query = net.add("attn.scale", ir::MulScalar{0.35}, {part("q", 0)}, "attn");
  const ir::ValueId key = net.add("attn.k_t", ir::Permute{{0, 2, 1}}, {part("k", 8)}, "attn");
  const ir::ValueId scores = net.add("attn.scores", ir::MatMul{}, {query, key}, "attn");
  const ir::ValueId weights = net.add("attn.softmax", ir::Softmax{-1}, {scores}, "attn");
  const ir::ValueId context =
      net.add("attn.context", ir::MatMul{}, {weights, part("v", 16)}, "attn");
  const ir::ValueId out = net.linear("attn.out_proj", context, 8, "attn");
  return net.reshape("attn.view", out, {5, 8}, "attn");
}

}  // namespace ptq::backends::testing
