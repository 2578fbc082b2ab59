#include "eval/node_noise.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "ptq/base/error.h"
#include "support/batches.h"
#include "support/graph_builder.h"

namespace ptq::eval {
namespace {

using ptq::testing::batches_of;
using ptq::testing::GraphBuilder;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const NodeNoise& node_named(const std::vector<NodeNoise>& nodes, std::string_view name) {
  for (const NodeNoise& node : nodes) {
    if (node.name == name) return node;
  }
  throw std::out_of_range(std::string(name));
}

/// input [2, 1, 2] -> fake quantization -> flatten. Two channels, of two values per image.
struct OneQuantizer {
  GraphBuilder builder{{2, 1, 2}};
  ir::Graph graph;

  explicit OneQuantizer(double scale) {
    graph = builder.finish(builder.fake_quantize(builder.input(), scale));
  }
  NodeNoise measure(const std::vector<float>& values, bool compile = true) {
    at::Tensor image = at::zeros({1, 2, 1, 2});
    std::copy(values.begin(), values.end(), image.data_ptr<float>());
    return node_named(
        measure_node_noise(graph, {graph, builder.table}, {1, compile}, batches_of({image})),
        "fake_quantize");
  }
};

TEST(NodeNoise, SaysWhatOneQuantizerDoes) {
  for (const bool compile : {true, false}) {
    // Codes -128 to 127: 200 is clipped to 127, 0.25 becomes 0, 3.25 becomes 3.
    const NodeNoise node = OneQuantizer(1).measure({200, 0, 0.25, 3.25}, compile);
    const double signal = 200 * 200 + 0.25 * 0.25 + 3.25 * 3.25;
    const double noise = 73 * 73 + 2 * 0.25 * 0.25;
    EXPECT_NEAR(node.sqnr, 10 * std::log10(signal / noise), 1e-6);
    ASSERT_TRUE(node.own.has_value());
    EXPECT_NEAR(node.own->sqnr, node.sqnr, 1e-6);
    EXPECT_EQ(node.own->step, 1);
    EXPECT_DOUBLE_EQ(node.own->vanished, 1.0 / 3);
    EXPECT_DOUBLE_EQ(*node.own->clipped, 1.0 / 4);
    EXPECT_EQ(node.range.largest, 200);
    EXPECT_EQ(node.range.widest_channel, 0);
    EXPECT_DOUBLE_EQ(node.range.widest_to_median, 200 / 3.25);
  }
}

TEST(NodeNoise, ShowsInTheMedianChannelWhatALargeOneHides) {
  // One channel of 100 that is exact, one of 0.4 that vanishes.
  const NodeNoise node = OneQuantizer(1).measure({100, 100, 0.4, 0.4});
  EXPECT_GT(node.sqnr, 40);
  EXPECT_NEAR(node.median_channel_sqnr, 0, 1e-6);
}

TEST(NodeNoise, LeavesOutOfTheMedianWhatIsZeroThroughout) {
  const NodeNoise node = OneQuantizer(1).measure({0, 0, 2.5, 2.5});
  EXPECT_NEAR(node.median_channel_sqnr, 20 * std::log10(5), 1e-6);
  EXPECT_EQ(node.range.widest_to_median, kInfinity);
}

TEST(NodeNoise, AddsUpAlongTheNetworkWhileOwnNoiseDoesNot) {
  GraphBuilder builder({2, 1, 2});
  const auto first = builder.fake_quantize(builder.input(), 1);
  const auto relu = builder.add(ir::Relu{}, {first});
  const ir::Graph graph = builder.finish(builder.fake_quantize(relu, 0.25));
  at::Tensor image = at::zeros({1, 2, 1, 2});
  image.fill_(1.25);
  const auto nodes =
      measure_node_noise(graph, {graph, builder.table}, {1, true}, batches_of({image}));
  EXPECT_NEAR(node_named(nodes, "relu").sqnr, 20 * std::log10(5), 1e-6);
  EXPECT_FALSE(node_named(nodes, "relu").own.has_value());
  const NodeNoise& last = node_named(nodes, "fake_quantize_1");
  EXPECT_NEAR(last.sqnr, 20 * std::log10(5), 1e-6);
  EXPECT_EQ(last.own->sqnr, kInfinity);
}

TEST(NodeNoise, ComparesWithTheWeightsThatWereThereBefore) {
  GraphBuilder builder({3, 4, 4});
  const auto conv = builder.conv(builder.input(), 5);
  builder.quantize_weight(conv, 0.25);
  const ir::Graph before = builder.finish(conv);
  ir::Graph after = before;
  for (ir::Node& node : after.nodes) {
    ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) continue;
    layer->weight.value = layer->weight.value.mul(0);
    layer->bias.reset();
  }
  const at::Tensor images = ptq::testing::normals({2, 3, 4, 4}, 1, 3);
  const auto nodes =
      measure_node_noise(before, {after, builder.table}, {1, true}, batches_of({images}));
  const NodeNoise& node = node_named(nodes, "conv");
  EXPECT_NEAR(node.sqnr, 0, 1e-6);
  EXPECT_NEAR(node.own->sqnr, 0, 1e-6);
  EXPECT_EQ(node.own->vanished, 1);
  ASSERT_TRUE(node.weight_range.has_value());
  EXPECT_GE(node.weight_range->widest_to_median, 1);
}

TEST(NodeNoise, IsTheSameOnThePlanAndNodeByNode) {
  GraphBuilder builder({3, 6, 6});
  const auto in = builder.fake_quantize(builder.input(), 0.05);
  const auto conv = builder.conv(in, 4);
  builder.quantize_weight(conv, 0.01);
  // The second operand of the add is the first input of nobody.
  const auto sum = builder.add(ir::Add{}, {builder.add(ir::Relu{}, {conv}), builder.conv(in, 4)});
  const ir::Graph graph = builder.finish(builder.fake_quantize(sum, 0.1));
  const at::Tensor images = ptq::testing::normals({3, 3, 6, 6}, 1, 4);
  const auto plan =
      measure_node_noise(graph, {graph, builder.table}, {1, true}, batches_of({images}));
  const auto nodes =
      measure_node_noise(graph, {graph, builder.table}, {1, false}, batches_of({images}));
  ASSERT_EQ(plan.size(), nodes.size());
  ASSERT_EQ(plan.size(), 6U);  // two quantizers, two convolutions, relu, add
  // Sums of another order move the last bits, and with them 1e-5 dB; a value on a rounding boundary
  // is not among these 108.
  for (size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan[i].name, nodes[i].name);
    EXPECT_NEAR(plan[i].sqnr, nodes[i].sqnr, 1e-3) << plan[i].name;
    EXPECT_NEAR(plan[i].median_channel_sqnr, nodes[i].median_channel_sqnr, 1e-3) << plan[i].name;
  }
}

TEST(NodeNoise, HasNoStepWhereItIsFoundForEachImage) {
  GraphBuilder builder({2, 1, 2});
  quant::Quantizer quantizer;
  quantizer.layer = "dynamic";
  quantizer.timing = quant::Timing::kDynamic;
  const ir::Graph graph =
      builder.finish(builder.fake_quantize_with(builder.input(), builder.table.add(quantizer)));
  const at::Tensor images = ptq::testing::normals({2, 2, 1, 2}, 1, 5);
  const auto nodes =
      measure_node_noise(graph, {graph, builder.table}, {1, true}, batches_of({images}));
  EXPECT_FALSE(nodes.front().own->step.has_value());
  EXPECT_FALSE(nodes.front().own->clipped.has_value());
  EXPECT_GT(nodes.front().own->sqnr, 20);
}

TEST(NodeNoise, SortsTheNoisiestMedianFirst) {
  std::vector<NodeNoise> nodes(3);
  nodes[0].median_channel_sqnr = kInfinity;
  nodes[1].median_channel_sqnr = 3;
  nodes[2].median_channel_sqnr = -2;
  const auto sorted = worst_first(nodes);
  EXPECT_EQ(sorted[0].median_channel_sqnr, -2);
  EXPECT_EQ(sorted[2].median_channel_sqnr, kInfinity);
}

TEST(NodeNoise, NeedsAnImage) {
  GraphBuilder builder({2, 1, 2});
  const ir::Graph graph = builder.finish(builder.fake_quantize(builder.input(), 1));
  EXPECT_THROW(
      measure_node_noise(graph, {graph, builder.table}, {1, true}, [] { return std::nullopt; }),
      DataError);
}

}  // namespace
}  // namespace ptq::eval
