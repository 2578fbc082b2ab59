#include "backends/attention.h"

#include <gtest/gtest.h>

#include "quantized_sites.h"

namespace ptq::backends {
namespace {

using testing::NetworkBuilder;
using testing::place;
using ValueId = ir::ValueId;

/// One head of self-attention over 5 tokens of 8 features, all of it in module "attn".
ValueId attention(NetworkBuilder& net, ValueId x) {
  const ValueId projected = net.linear("attn.in_proj", x, 24, "attn");
  const auto part = [&](const std::string& name, int64_t begin) {
    const ir::Slice slice{2, {begin, false}, {begin + 8, false}, 1};
    return net.add("attn." + name, slice, {projected}, "attn");
  };
  const ValueId query = net.add("attn.scale", ir::MulScalar{0.35}, {part("q", 0)}, "attn");
  const ValueId key = net.add("attn.k_t", ir::Permute{{0, 2, 1}}, {part("k", 8)}, "attn");
  const ValueId scores = net.add("attn.scores", ir::MatMul{}, {query, key}, "attn");
  const ValueId weights = net.add("attn.softmax", ir::Softmax{-1}, {scores}, "attn");
  const ValueId context = net.add("attn.context", ir::MatMul{}, {weights, part("v", 16)}, "attn");
  const ValueId out = net.linear("attn.out_proj", context, 8, "attn");
  return net.reshape("attn.view", out, {5, 8}, "attn");
}

TEST(AttentionMap, FindsAnAttentionAndItsRegion) {
  NetworkBuilder net({5, 8});
  net.linear("head", attention(net, net.input()), 3);
  ir::Graph graph = net.graph();
  const AttentionMap map(graph);
  ASSERT_EQ(map.all().size(), 1U);
  EXPECT_EQ(map.all()[0].scores->name, "attn.scores");
  EXPECT_EQ(map.all()[0].context->name, "attn.context");
  EXPECT_EQ(map.all()[0].output->name, "attn.view");
  EXPECT_EQ(map.region_of(*map.all()[0].softmax), 0);
  EXPECT_EQ(map.region_of(graph.nodes.back()), AttentionMap::kOutside);
}

TEST(AttentionMap, LeavesASoftmaxThatIsNoAttention) {
  NetworkBuilder net({5, 8});
  net.add("softmax", ir::Softmax{-1}, {net.linear("head", net.input(), 3)});
  ir::Graph graph = net.graph();
  EXPECT_TRUE(AttentionMap(graph).all().empty());
}

TEST(Fx, QuantizesBothProductsOfAnAttention) {
  NetworkBuilder net({5, 8});
  net.linear("head", attention(net, net.input()), 3);
  // Query, key and value signed, attention weights unsigned; nothing behind the input projection;
  // the module's output is requantized where it leaves the module.
  EXPECT_EQ(place(net).sites(),
            "input:s0 attn.scale:s1 attn.k_t:s2 attn.softmax:u3 attn.v:s4 attn.context:s5 "
            "attn.view:s6 head:s7");
}

TEST(Fx, AlignsAnAttentionsOutputWithItsResidual) {
  NetworkBuilder net({5, 8});
  const ValueId x = net.linear("embed", net.input(), 8);
  const ValueId normed = net.layer_norm("norm", x);
  net.linear("head", net.add("add", ir::Add{}, {attention(net, normed), x}), 3);
  EXPECT_EQ(place(net).sites(),
            "input:s0 embed:s1 norm:s2 attn.scale:s3 attn.k_t:s4 attn.softmax:u5 attn.v:s6 "
            "attn.context:s7 attn.view:s1 add:s8 head:s9");
}

}  // namespace
}  // namespace ptq::backends
