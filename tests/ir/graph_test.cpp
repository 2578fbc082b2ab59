#include "ptq/ir/graph.h"

#include <gtest/gtest.h>

#include "support/network_builder.h"

namespace ptq::ir {
namespace {

using ptq::testing::NetworkBuilder;

TEST(Dim, GrowsWithTheBatchOnlyWhenMarked) {
  EXPECT_EQ(at_batch({{1, true}, {49, true}, {3, false}}, 5), (std::vector<int64_t>{5, 245, 3}));
}

TEST(Op, KnowsItsNameAndWeights) {
  EXPECT_EQ(op_name(Op{Relu6{}}), "relu6");
  EXPECT_EQ(weighted(Op{Relu{}}), nullptr);
  EXPECT_NE(weighted(Op{Linear{}}), nullptr);
  EXPECT_EQ(output_channel_axis(Op{ConvTranspose{}}), 1);
  EXPECT_EQ(output_channel_axis(Op{Conv{}}), 0);
}

TEST(Graph, InsertsBeforeAPositionUnderAFreeName) {
  NetworkBuilder builder({3, 4, 4});
  builder.add("a", Relu{}, {builder.input()});
  Graph graph = builder.graph();
  const Node& node = graph.insert(graph.nodes.begin(), {"a", "", Relu{}, {graph.input}, {}}, {});
  EXPECT_EQ(node.name, "a_1");
  EXPECT_EQ(&graph.nodes.front(), &node);
  EXPECT_NO_THROW(verify(graph));
}

TEST(Graph, ReplacesUsesAndTheOutputButSparesExceptions) {
  NetworkBuilder builder({3, 4, 4});
  const ValueId a = builder.add("a", Relu{}, {builder.input()});
  builder.add("b", Relu{}, {a});
  Graph graph = builder.graph();
  Node& fake = graph.insert(std::next(graph.nodes.begin()), {"q", "", FakeQuantize{}, {a}, {}}, {});
  graph.replace_uses(a, fake.output(), {&fake});
  EXPECT_EQ(fake.inputs[0], a);
  EXPECT_EQ(graph.nodes.back().inputs[0], fake.output());
  EXPECT_NO_THROW(verify(graph));
}

TEST(Index, ListsOneUserAUse) {
  NetworkBuilder builder({3, 4, 4});
  const ValueId a = builder.add("a", Relu{}, {builder.input()});
  builder.add("sum", Add{}, {a, a});
  Graph graph = builder.graph();
  const Index index(graph);
  EXPECT_EQ(index.users(a).size(), 2U);
  EXPECT_EQ(index.producer(a)->name, "a");
  EXPECT_EQ(index.producer(graph.input), nullptr);
  EXPECT_TRUE(index.is_graph_output(graph.output));
}

TEST(RemoveDeadNodes, KeepsWhatTheOutputNeeds) {
  NetworkBuilder builder({3, 4, 4});
  const ValueId a = builder.add("a", Relu{}, {builder.input()});
  const ValueId dead = builder.add("dead", Sigmoid{}, {a});
  builder.add("dead_too", Relu{}, {dead});
  builder.add("b", Relu{}, {a});
  Graph graph = builder.graph();
  remove_dead_nodes(graph);
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes.back().name, "b");
}

}  // namespace
}  // namespace ptq::ir
