#include <gtest/gtest.h>

#include <string>

#include "ptq/base/error.h"
#include "support/network_builder.h"

namespace ptq::ir {
namespace {

using ptq::testing::NetworkBuilder;

Graph two_relus() {
  NetworkBuilder builder({3, 4, 4});
  builder.add("b", Relu{}, {builder.add("a", Relu{}, {builder.input()})});
  return builder.graph();
}

void expect_broken(const Graph& graph, const std::string& message) {
  try {
    verify(graph);
    FAIL() << "verified";
  } catch (const InternalError& error) {
    EXPECT_EQ(std::string(error.what()), message);
  }
}

TEST(Verify, AcceptsAGraphInOrder) { EXPECT_NO_THROW(verify(two_relus())); }

TEST(Verify, RefusesAValueReadBeforeItIsProduced) {
  Graph graph = two_relus();
  graph.nodes.reverse();
  expect_broken(graph, "b: reads %1 before it is produced");
}

TEST(Verify, RefusesTwoNodesOfOneName) {
  Graph graph = two_relus();
  graph.nodes.back().name = "a";
  expect_broken(graph, "a: two nodes have this name");
}

TEST(Verify, RefusesAnUnknownValue) {
  Graph graph = two_relus();
  graph.nodes.back().inputs = {17};
  expect_broken(graph, "b: value %17 does not exist");
}

TEST(Verify, RefusesAValueProducedTwice) {
  Graph graph = two_relus();
  graph.nodes.back().outputs = {1};
  expect_broken(graph, "b: produces a value that exists");
}

TEST(Verify, RefusesAnOutputNobodyProduces) {
  Graph graph = two_relus();
  graph.output = graph.add_value("lost");
  expect_broken(graph, "nothing produces the graph's output");
}

}  // namespace
}  // namespace ptq::ir
