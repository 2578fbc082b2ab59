#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "passes/pass_expectations.h"

namespace ptq::passes {
namespace {

using testing::after;
using testing::expect_untouched;
using testing::NetworkBuilder;
using testing::ops;

TEST(MergeBatchNorm, FoldsIntoAConvolutionWithBias) {
  NetworkBuilder builder({3, 6, 6});
  builder.batch_norm("norm", builder.conv("conv", builder.input(), {4, 3, 1, 1, true}));
  EXPECT_EQ(ops(after(MergeBatchNorm(), builder.graph(), 1)), "conv");
}

TEST(MergeBatchNorm, GivesAConvolutionWithoutBiasOne) {
  NetworkBuilder builder({3, 6, 6});
  builder.batch_norm("norm", builder.conv("conv", builder.input(), {4, 3, 1, 1, false}));
  const ir::Graph graph = after(MergeBatchNorm(), builder.graph(), 1);
  EXPECT_EQ(graph.nodes.front().as<ir::Conv>()->bias->name, "conv.bias");
}

TEST(MergeBatchNorm, FoldsIntoADepthwiseConvolution) {
  NetworkBuilder builder({6, 6, 6});
  builder.batch_norm("norm", builder.conv("conv", builder.input(), {6, 3, 1, 6, false}));
  after(MergeBatchNorm(), builder.graph(), 1);
}

TEST(MergeBatchNorm, FoldsIntoATransposedConvolutionOnItsSecondAxis) {
  NetworkBuilder builder({3, 6, 6});
  ir::ConvTranspose conv;
  conv.weight = {"up.weight", at::rand({3, 5, 2, 2})};
  conv.stride = {2, 2}, conv.padding = {0, 0}, conv.output_padding = {0, 0};
  conv.dilation = {1, 1};
  builder.batch_norm("norm", builder.add("up", conv, {builder.input()}));
  EXPECT_EQ(ops(after(MergeBatchNorm(), builder.graph(), 1)), "conv_transpose");
}

TEST(MergeBatchNorm, FoldsIntoALinearOverTwoDimensions) {
  NetworkBuilder builder({7});
  builder.batch_norm("norm", builder.linear("linear", builder.input(), 5));
  EXPECT_EQ(ops(after(MergeBatchNorm(), builder.graph(), 1)), "linear");
}

TEST(MergeBatchNorm, LeavesALinearWithChannelsLast) {
  NetworkBuilder builder({5, 7});
  builder.batch_norm("norm", builder.linear("linear", builder.input(), 4));
  expect_untouched(MergeBatchNorm(), builder.graph());
}

TEST(MergeBatchNorm, FoldsAChainOfTwoIntoOneConvolution) {
  NetworkBuilder builder({3, 6, 6});
  const ir::ValueId conv = builder.conv("conv", builder.input(), {});
  builder.batch_norm("second", builder.batch_norm("first", conv));
  EXPECT_EQ(ops(after(MergeBatchNorm(), builder.graph(), 2)), "conv");
}

TEST(MergeBatchNorm, FoldsABatchNormIntoABatchNorm) {
  NetworkBuilder builder({3, 6, 6});
  builder.batch_norm("second", builder.batch_norm("first", builder.input()));
  EXPECT_EQ(ops(after(MergeBatchNorm(), builder.graph(), 1)), "batch_norm");
}

TEST(MergeBatchNorm, LeavesAConvolutionThatOthersRead) {
  NetworkBuilder builder({4, 6, 6});
  const ir::ValueId conv = builder.conv("conv", builder.input(), {});
  builder.add("sum", ir::Add{}, {conv, builder.batch_norm("norm", conv)});
  expect_untouched(MergeBatchNorm(), builder.graph());
}

TEST(MergeBatchNorm, LeavesABatchNormBehindAConcat) {
  NetworkBuilder builder({4, 6, 6});
  const ir::ValueId pool =
      builder.add("pool", ir::MaxPool{{3, 3}, {1, 1}, {1, 1}, {1, 1}, false}, {builder.input()});
  builder.batch_norm("norm", builder.add("cat", ir::Concat{1}, {pool, builder.input()}));
  expect_untouched(MergeBatchNorm(), builder.graph());
}

}  // namespace
}  // namespace ptq::passes
