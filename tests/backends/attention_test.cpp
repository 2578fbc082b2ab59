#include "backends/attention.h"

#include <gtest/gtest.h>

#include "attention_network.h"
#include "quantized_sites.h"

namespace ptq::backends {
namespace {

using testing::attention;
using testing::NetworkBuilder;
using testing::place;
using testing::Projection;
using ValueId = ir::ValueId;

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

TEST(AttentionMap, TellsAMultiheadModuleByItsPackedProjection) {
  const auto kind = [](Projection projection) {
    NetworkBuilder net({5, 8});
    attention(net, net.input(), projection);
    ir::Graph graph = net.graph();
    return AttentionMap(graph).all().at(0).kind;
  };
  EXPECT_EQ(kind(Projection::kPacked), Attention::Kind::kModule);
  EXPECT_EQ(kind(Projection::kLayer), Attention::Kind::kFunction);
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

TEST(Fx, KeepsTheOperandsOfAnAttentionSymmetric) {
  NetworkBuilder net({5, 8});
  net.linear("head", attention(net, net.input()), 3);
  PlacementOptions options;
  options.activations->symmetry = quant::Symmetry::kAsymmetric;
  // The output projection's input is an ordinary one.
  EXPECT_EQ(place(net, options).sites(),
            "input:a0 attn.scale:s1 attn.k_t:s2 attn.softmax:u3 attn.v:s4 attn.context:a5 "
            "attn.view:a6 head:a7");
}

TEST(Fx, LaysGroupsOfAnAttentionAlongTheDimensionsItsProductsSumOver) {
  NetworkBuilder net({5, 8});
  net.linear("head", attention(net, net.input()), 3);
  PlacementOptions options;
  options.activations->granularity = quant::Granularity::kPerGroup;
  options.activations->timing = quant::Timing::kDynamic;
  // scores = q [5, 8] x k_t [8, 5]; context = weights [5, 5] x v [5, 8]; linear: the last.
  EXPECT_EQ(place(net, options).group_axes(),
            "input:-1 attn.scale:-1 attn.k_t:-2 attn.softmax:-1 attn.v:-2 attn.context:-1 "
            "attn.view:-1 head:-1");
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
