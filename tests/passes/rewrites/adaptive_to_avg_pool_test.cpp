#include <gtest/gtest.h>

#include "passes/pass_expectations.h"

namespace ptq::passes {
namespace {

using testing::after;
using testing::expect_untouched;
using testing::NetworkBuilder;
using testing::ops;

ir::AvgPool converted(const std::vector<int64_t>& image, const ir::Ints& output_size) {
  NetworkBuilder net(image);
  net.add("pool", ir::AdaptiveAvgPool{output_size}, {net.input()});
  const ir::Graph graph = after(AdaptiveToAvgPool(), net.graph(), 1);
  EXPECT_EQ(ops(graph), "avg_pool");
  return *graph.nodes.back().as<ir::AvgPool>();
}

TEST(AdaptiveToAvgPool, PoolsWindowsThatTileTheImage) {
  // 6 / 3 = 2 and 8 / 2 = 4; kernels 6 - 2 * 2 and 8 - 4 * 1.
  const ir::AvgPool pool = converted({2, 6, 8}, {3, 2});
  EXPECT_EQ(pool.stride, (ir::Ints{2, 4}));
  EXPECT_EQ(pool.kernel, (ir::Ints{2, 4}));
  EXPECT_EQ(pool.padding, (ir::Ints{0, 0}));
}

TEST(AdaptiveToAvgPool, GivesAGlobalPoolStrideOne) {
  const ir::AvgPool pool = converted({2, 5, 7}, {1, 1});
  EXPECT_EQ(pool.stride, (ir::Ints{1, 1}));
  EXPECT_EQ(pool.kernel, (ir::Ints{5, 7}));
}

TEST(AdaptiveToAvgPool, KeepsTheStrideWhereOneDimensionAloneIsGlobal) {
  const ir::AvgPool pool = converted({2, 5, 6}, {1, 3});
  EXPECT_EQ(pool.stride, (ir::Ints{5, 2}));
  EXPECT_EQ(pool.kernel, (ir::Ints{5, 2}));
}

TEST(AdaptiveToAvgPool, PoolsSequences) { EXPECT_EQ(converted({2, 6}, {3}).kernel, ir::Ints{2}); }

TEST(AdaptiveToAvgPool, LeavesWindowsOfUnequalSize) {
  NetworkBuilder net({2, 5, 8});
  net.add("pool", ir::AdaptiveAvgPool{{2, 2}}, {net.input()});
  expect_untouched(AdaptiveToAvgPool(), net.graph());
}

TEST(AdaptiveToAvgPool, LeavesAnOutputLargerThanTheImage) {
  NetworkBuilder net({2, 3, 3});
  net.add("pool", ir::AdaptiveAvgPool{{6, 6}}, {net.input()});
  expect_untouched(AdaptiveToAvgPool(), net.graph());
}

}  // namespace
}  // namespace ptq::passes
