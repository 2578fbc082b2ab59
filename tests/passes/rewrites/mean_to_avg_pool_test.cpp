#include <gtest/gtest.h>

#include "passes/pass_expectations.h"

namespace ptq::passes {
namespace {

using testing::after;
using testing::expect_untouched;
using testing::NetworkBuilder;
using testing::ops;

TEST(MeanToAvgPool, RewritesAMeanOverHeightAndWidth) {
  for (const ir::Ints& dims : {ir::Ints{2, 3}, ir::Ints{-1, -2}}) {
    NetworkBuilder builder({3, 5, 7});
    builder.add("mean", ir::Mean{dims, false}, {builder.input()});
    const ir::Graph graph = after(MeanToAvgPool(), builder.graph(), 1);
    EXPECT_EQ(ops(graph), "adaptive_avg_pool reshape");
    EXPECT_EQ(graph.nodes.back().name, "mean");
  }
}

TEST(MeanToAvgPool, LeavesOtherMeans) {
  NetworkBuilder kept({3, 5, 7});
  kept.add("mean", ir::Mean{{2, 3}, true}, {kept.input()});
  expect_untouched(MeanToAvgPool(), kept.graph());
  NetworkBuilder tokens({5, 7});
  tokens.add("mean", ir::Mean{{1}, false}, {tokens.input()});
  expect_untouched(MeanToAvgPool(), tokens.graph());
}

}  // namespace
}  // namespace ptq::passes
