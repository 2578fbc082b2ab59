#include "passes/pipeline.h"

#include <gtest/gtest.h>

#include "pass_expectations.h"

namespace ptq::passes {
namespace {

using testing::NetworkBuilder;
using testing::ops;

NetworkBuilder inverted_residual() {
  NetworkBuilder builder({4, 6, 6});
  ir::ValueId x = builder.conv("expand", builder.input(), {8, 1, 1, 1, false});
  x = builder.add("relu", ir::Relu6{}, {builder.batch_norm("norm", x)});
  x = builder.add("mean", ir::Mean{{2, 3}, false}, {x});
  builder.linear("head", x, 3);
  return builder;
}

TEST(Prepare, RunsThePassesInOrderAndReportsEach) {
  ir::Graph graph = inverted_residual().graph();
  const std::vector<PassReport> reports = prepare(graph, {});
  EXPECT_EQ(ops(graph), "conv relu adaptive_avg_pool reshape linear");
  std::vector<std::pair<std::string, int>> changes;
  for (const PassReport& report : reports) changes.emplace_back(report.name, report.changes);
  EXPECT_EQ(changes, (std::vector<std::pair<std::string, int>>{{"relu6-to-relu", 1},
                                                               {"mean-to-avg-pool", 1},
                                                               {"collapse-concats", 0},
                                                               {"move-batch-norm-before-concat", 0},
                                                               {"merge-batch-norm", 1}}));
}

TEST(Prepare, PoolsFixedWindowsForFlexml) {
  ir::Graph graph = inverted_residual().graph();
  const std::vector<PassReport> reports =
      prepare(graph, {Relu6::kRelu, true, Preparation::kFlexml});
  EXPECT_EQ(ops(graph), "conv relu avg_pool reshape linear");
  // The mean becomes a pool, the pool a fixed window; then the usual passes.
  std::vector<std::string> names;
  for (const PassReport& report : reports) names.push_back(report.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"mean-to-avg-pool", "adaptive-to-avg-pool", "relu6-to-relu",
                                      "mean-to-avg-pool", "collapse-concats",
                                      "move-batch-norm-before-concat", "merge-batch-norm"}));
}

TEST(Prepare, KeepsRelu6OnRequest) {
  ir::Graph graph = inverted_residual().graph();
  EXPECT_TRUE(has_relu6(graph));
  EXPECT_FALSE(has_relu6(with_relu_for_relu6(graph)));
  prepare(graph, {Relu6::kKeep});
  EXPECT_EQ(ops(graph), "conv relu6 adaptive_avg_pool reshape linear");
}

TEST(Prepare, KeepsClampsToOtherNumbers) {
  NetworkBuilder builder({4, 6, 6});
  const auto values = builder.conv("conv", builder.input(), {8, 1, 1, 1, true});
  builder.add("clamp", ir::Relu6{{}, builder.parameter("clamp.ceiling", {1})}, {values});
  ir::Graph graph = builder.graph();
  EXPECT_FALSE(has_relu6(graph));
  prepare(graph, {Relu6::kRelu});
  EXPECT_EQ(ops(graph), "conv relu6");
}

TEST(Prepare, ShowsTheGraphBehindEveryPassThatChangedIt) {
  ir::Graph graph = inverted_residual().graph();
  std::vector<std::pair<std::string, std::string>> seen;
  prepare(graph, {}, [&](const std::string& pass, const ir::Graph& after) {
    seen.emplace_back(pass, ops(after));
  });
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, std::string>>{
                      {"relu6-to-relu", "conv batch_norm relu mean linear"},
                      {"mean-to-avg-pool", "conv batch_norm relu adaptive_avg_pool reshape linear"},
                      {"merge-batch-norm", "conv relu adaptive_avg_pool reshape linear"}}));
}

TEST(Prepare, KeepsBatchNormOnRequest) {
  ir::Graph graph = inverted_residual().graph();
  prepare(graph, {Relu6::kRelu, false});
  EXPECT_EQ(ops(graph), "conv batch_norm relu adaptive_avg_pool reshape linear");
}

}  // namespace
}  // namespace ptq::passes
