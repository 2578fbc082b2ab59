#include <gtest/gtest.h>

#include "passes/pass_expectations.h"

namespace ptq::passes {
namespace {

using testing::after;
using testing::expect_untouched;
using testing::NetworkBuilder;
using testing::ops;

TEST(CollapseConcats, WritesAnInnerConcatInItsPlace) {
  NetworkBuilder builder({2, 4, 4});
  const ir::ValueId a = builder.add("a", ir::Relu{}, {builder.input()});
  const ir::ValueId b = builder.add("b", ir::Sigmoid{}, {builder.input()});
  const ir::ValueId inner = builder.add("inner", ir::Concat{1}, {a, b});
  builder.add("outer", ir::Concat{1}, {b, inner, a});
  const ir::Graph graph = after(CollapseConcats(), builder.graph(), 1);
  EXPECT_EQ(graph.nodes.back().inputs, (std::vector<ir::ValueId>{b, a, b, a}));
}

TEST(CollapseConcats, LeavesAnotherDimensionAndAnotherReader) {
  NetworkBuilder builder({2, 4, 4});
  const ir::ValueId x = builder.input();
  const ir::ValueId other_dim = builder.add("other", ir::Concat{2}, {x, x});
  const ir::ValueId read_twice = builder.add("twice", ir::Concat{2}, {x, x});
  const ir::ValueId relu = builder.add("relu", ir::Relu{}, {read_twice});
  builder.add("outer", ir::Concat{1}, {other_dim, read_twice, relu});
  expect_untouched(CollapseConcats(), builder.graph());
}

TEST(MoveBatchNormBeforeConcat, SplitsItAndKeepsItsEps) {
  NetworkBuilder builder({3, 4, 4});
  const ir::ValueId a = builder.conv("a", builder.input(), {2, 3, 1, 1, true});
  const ir::ValueId b = builder.conv("b", builder.input(), {5, 1, 1, 1, false});
  builder.batch_norm("norm", builder.add("cat", ir::Concat{1}, {a, b}), 0.1);
  const ir::Graph graph = after(MoveBatchNormBeforeConcat(), builder.graph(), 1);
  EXPECT_EQ(ops(graph), "conv conv batch_norm batch_norm concat");
  EXPECT_EQ(ops(after(MergeBatchNorm(), graph, 2)), "conv conv concat");
}

TEST(MoveBatchNormBeforeConcat, LeavesAConcatOfSomethingElse) {
  NetworkBuilder builder({3, 4, 4});
  const ir::ValueId a = builder.conv("a", builder.input(), {});
  const ir::ValueId b = builder.add("b", ir::Relu{}, {builder.input()});
  builder.batch_norm("norm", builder.add("cat", ir::Concat{1}, {a, b}));
  expect_untouched(MoveBatchNormBeforeConcat(), builder.graph());
}

}  // namespace
}  // namespace ptq::passes
