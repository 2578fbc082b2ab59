#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "ir/clamp.h"
#include "passes/equalization/weight_ratios.h"
#include "passes/pass_expectations.h"
#include "passes/pipeline.h"
#include "ptq/passes/equalize.h"

namespace ptq::passes {
namespace {

using testing::NetworkBuilder;

at::Tensor ramp(int64_t count, int64_t factor, int64_t shift, int64_t modulus) {
  return at::arange(count).mul(factor).add(shift).remainder(modulus).to(at::kFloat);
}

/// Convolutions 3 -> 4 -> 5 of 1x1 with a relu between, as in reference-contract A.4.
ir::Graph golden_network() {
  NetworkBuilder builder({3, 4, 4});
  const auto a = builder.conv("a", builder.input(), {4, 1, 1, 1, true});
  builder.conv("b", builder.add("relu", ir::Relu{}, {a}), {5, 1, 1, 1, true});
  ir::Graph graph = builder.graph();
  ir::Weighted& first = *ir::weighted(graph.nodes.front().op);
  const at::Tensor scale = at::tensor({1.0F, 2.0F, 4.0F, 0.25F}).view({4, 1, 1, 1});
  first.weight.value = ramp(12, 37, 11, 101).sub(50).div(64).view({4, 3, 1, 1}).mul(scale);
  first.bias->value = at::tensor({3.0F, -0.5F, 0.25F, 0.125F});
  ir::weighted(graph.nodes.back().op)->weight.value =
      ramp(20, 53, 7, 97).sub(48).div(32).view({5, 4, 1, 1});
  return graph;
}

const ir::Weighted& layer(const ir::Graph& graph, const std::string& name) {
  for (const ir::Node& node : graph.nodes) {
    if (node.name == name) return *ir::weighted(node.op);
  }
  throw std::out_of_range(name);
}

void expect_near(const at::Tensor& actual, const std::vector<float>& expected) {
  const at::Tensor wanted = at::tensor(expected);
  EXPECT_LE(actual.div(wanted).sub(1).abs().max().item<float>(), 1e-6F)
      << actual << "expected" << wanted;
}

at::Tensor rows(const ir::Weighted& layer) { return layer.weight.value.flatten(1).abs().amax(1); }
at::Tensor columns(const ir::Weighted& layer) {
  return layer.weight.value.flatten(1).abs().amax(0);
}

TEST(EqualizeGraph, StartsFromTheGoldenRanges) {
  const ir::Graph graph = golden_network();
  expect_near(rows(layer(graph, "a")), {0.609375F, 1.40625F, 2.875F, 0.140625F});
  expect_near(columns(layer(graph, "b")), {1.28125F, 1.5F, 1.25F, 1.25F});
}

TEST(EqualizeGraph, ScalesTheCeilingsOfARelu6WithItsChannels) {
  ir::Graph graph = golden_network();
  for (ir::Node& node : graph.nodes) {
    if (node.is<ir::Relu>()) node.op = ir::Relu6{};
  }
  // Values of tens, so that the clamp clamps.
  ir::Weighted& first = *ir::weighted(graph.nodes.front().op);
  first.weight.value = first.weight.value.mul(8);
  const ir::Graph original = graph;
  const at::Tensor before = rows(layer(graph, "a"));
  EXPECT_EQ(equalize_graph(graph, {20, MergeBias::kNo, {}}).regions.size(), 1U);
  const at::Tensor images = ptq::testing::images_for(graph, 3);
  const at::Tensor expected = ptq::testing::run_float(original, images);
  EXPECT_LT(ptq::testing::relative_difference(ptq::testing::run_float(graph, images), expected),
            1e-5);
  EXPECT_GT(ptq::testing::relative_difference(
                ptq::testing::run_float(with_relu_for_relu6(original), images), expected),
            1e-2)
      << "nothing is clamped";
  const at::Tensor factors = rows(layer(graph, "a")).div(before);
  for (const ir::Node& node : graph.nodes) {
    const auto* clamp = node.as<ir::Relu6>();
    if (clamp == nullptr) continue;
    ASSERT_TRUE(clamp->ceiling.has_value());
    EXPECT_EQ(clamp->ceiling->value.sizes(), (std::vector<int64_t>{4, 1, 1}));
    EXPECT_TRUE(clamp->ceiling->value.view(-1).allclose(factors.mul(6), 1e-5));
  }
}

TEST(EqualizeGraph, ScalesTheBoundsOfEveryClamp) {
  const auto clamp = [](const std::string& schema, std::vector<ir::Argument> bounds) {
    bounds.insert(bounds.begin(), ir::InputRef{0});
    return ir::Opaque{schema, "", std::move(bounds), 0};
  };
  const std::monostate none;
  for (const ir::Op& op :
       std::vector<ir::Op>{clamp("aten::hardtanh", {-0.5, 0.75}), clamp("aten::clamp", {0.25, 1.0}),
                           clamp("aten::clamp", {none, 0.5}), clamp("aten::clamp_min", {0.25}),
                           clamp("aten::clamp_max", {-0.25}),
                           ir::Relu6{{}, ir::Parameter{"ceiling", at::full({1}, 0.5F)}}}) {
    ir::Graph graph = golden_network();
    for (ir::Node& node : graph.nodes) {
      if (node.is<ir::Relu>()) node.op = op;
    }
    const ir::Graph original = graph;
    EXPECT_EQ(equalize_graph(graph, {20, MergeBias::kNo, {}}).regions.size(), 1U);
    const at::Tensor images = ptq::testing::images_for(graph, 3);
    EXPECT_LT(ptq::testing::relative_difference(ptq::testing::run_float(graph, images),
                                                ptq::testing::run_float(original, images)),
              1e-5)
        << ir::to_text(original);
    for (ir::Node& node : graph.nodes) {
      if (ir::clamp_bounds(node.op)) node.op = op;
    }
    EXPECT_GT(ptq::testing::relative_difference(ptq::testing::run_float(graph, images),
                                                ptq::testing::run_float(original, images)),
              1e-3)
        << "the bounds decide nothing";
  }
}

TEST(EqualizeGraph, GivesTheGoldenValuesWithoutBiases) {
  ir::Graph graph = golden_network();
  const EqualizationReport report = equalize_graph(graph, {20, MergeBias::kNo, {}});
  expect_near(rows(layer(graph, "a")), {0.8836071F, 1.452369F, 1.895719F, 0.4192627F});
  expect_near(layer(graph, "a").bias->value, {4.350066F, -0.5163978F, 0.1648451F, 0.372678F});
  expect_near(columns(layer(graph, "b")), {0.8836071F, 1.452369F, 1.895719F, 0.4192627F});
  ASSERT_EQ(report.regions.size(), 1U);
  EXPECT_EQ(report.regions[0].sources, std::vector<std::string>{"a"});
  EXPECT_EQ(report.regions[0].sinks, std::vector<std::string>{"b"});
  EXPECT_EQ(report.regions[0].channels, 4);
  EXPECT_EQ(report.regions[0].range_ratio_before, report.range_ratio_before);
  EXPECT_EQ(report.regions[0].range_ratio_after, report.range_ratio_after);
  EXPECT_EQ(report.layers, 2);
  EXPECT_EQ(report.iterations, 2);
  EXPECT_TRUE(report.converged);
  EXPECT_NEAR(report.range_ratio_before, 2.875 / 0.140625, 1e-4);
  EXPECT_NEAR(report.range_ratio_after, 1.895719 / 0.4192627, 1e-4);
}

TEST(EqualizeGraph, GivesTheGoldenValuesWithBiases) {
  ir::Graph graph = golden_network();
  const EqualizationReport report = equalize_graph(graph, {20, MergeBias::kYes, {}});
  expect_near(rows(layer(graph, "a")), {0.5631913F, 1.452369F, 1.895719F, 0.4192627F});
  expect_near(layer(graph, "a").bias->value, {2.772634F, -0.5163978F, 0.1648451F, 0.372678F});
  expect_near(columns(layer(graph, "b")), {1.386317F, 1.452369F, 1.895719F, 0.4192628F});
  EXPECT_EQ(report.iterations, 2);
}

TEST(EqualizeGraph, KeepsOutputOfReluChain) {
  testing::after(EqualizeGraph({20, MergeBias::kYes, {}}), golden_network(), 2);
}

TEST(EqualizeGraph, DoesNothingWithoutIterations) {
  testing::expect_untouched(EqualizeGraph({0, MergeBias::kYes, {}}), golden_network());
}

TEST(EqualizeGraph, StopsAtTheLastIteration) {
  ir::Graph graph = golden_network();
  const EqualizationReport report = equalize_graph(graph, {1, MergeBias::kYes, {}});
  EXPECT_EQ(report.iterations, 1);
  EXPECT_FALSE(report.converged);
}

TEST(EqualizeGraph, LeavesTheTensorsOfOtherGraphsAlone) {
  const ir::Graph original = golden_network();
  const at::Tensor before = layer(original, "a").weight.value.clone();
  ir::Graph copy = original;
  equalize_graph(copy, {20, MergeBias::kYes, {}});
  EXPECT_TRUE(before.equal(layer(original, "a").weight.value));
  EXPECT_FALSE(before.equal(layer(copy, "a").weight.value));
}

TEST(EqualizeGraph, LeavesAChannelOfZerosAlone) {
  ir::Graph graph = golden_network();
  ir::weighted(graph.nodes.front().op)->weight.value[1].zero_();
  const at::Tensor before = columns(layer(graph, "b")).clone();
  equalize_graph(graph, {20, MergeBias::kNo, {}});
  EXPECT_EQ(columns(layer(graph, "b"))[1].item<float>(), before[1].item<float>());
  EXPECT_NE(columns(layer(graph, "b"))[0].item<float>(), before[0].item<float>());
}

TEST(EqualizeGraph, KeepsOutputOfEveryKindOfLayer) {
  NetworkBuilder builder({3, 8, 8});
  const auto first = builder.conv("first", builder.input(), {6, 3, 1, 1, true});
  const auto depthwise =
      builder.conv("depthwise", builder.add("r1", ir::Relu{}, {first}), {6, 3, 2, 6, true});
  ir::ConvTranspose up;
  up.weight = builder.parameter("up.weight", {6, 5, 2, 2});
  up.bias = builder.parameter("up.bias", {5});
  up.stride = {2, 2}, up.padding = {0, 0}, up.output_padding = {0, 0}, up.dilation = {1, 1};
  const auto wide = builder.add("up", up, {builder.add("r2", ir::LeakyRelu{0.1}, {depthwise})});
  const auto last = builder.conv("last", builder.add("half", ir::MulScalar{0.5}, {wide}), {7});
  const auto pool = builder.add("pool", ir::AdaptiveAvgPool{{1, 1}}, {last});
  const auto norm = builder.layer_norm("norm", builder.reshape("flat", pool, {7}));
  builder.linear("fc", norm, 4);
  testing::after(EqualizeGraph({50, MergeBias::kNo, {}}), builder.graph(), 6);
}

TEST(EqualizeGraph, GivesEachPartOfAConcatItsOwnFactors) {
  NetworkBuilder builder({3, 6, 6});
  const auto a = builder.conv("a", builder.input(), {2, 1, 1, 1, true});
  const auto b = builder.conv("b", builder.input(), {3, 3, 1, 1, true});
  const auto cat = builder.add("cat", ir::Concat{1}, {builder.add("ra", ir::Relu{}, {a}), b});
  const auto pool = builder.add("pool", ir::MaxPool{{3, 3}, {1, 1}, {1, 1}, {1, 1}, false}, {cat});
  const auto c = builder.conv("c", cat, {2, 1, 1, 1, true});
  builder.conv("d", builder.add("cat2", ir::Concat{1}, {c, pool}), {2, 1, 1, 1, true});
  testing::after(EqualizeGraph({50, MergeBias::kNo, {}}), builder.graph(), 4);
}

TEST(EqualizeGraph, IsTheLastPassOfThePreparationWhereItIsOn) {
  ir::Graph graph = golden_network();
  EXPECT_NE(prepare(graph, {}).back().name, "equalize-graph");
  PreparationOptions options;
  size_t regions = 0;
  options.equalization.iterations = 20;
  options.equalization.on_report = [&](const EqualizationReport& told) {
    regions = told.regions.size();
  };
  const PassReport report = prepare(graph, options).back();
  EXPECT_EQ(report.name, "equalize-graph");
  EXPECT_EQ(report.changes, 2);
  EXPECT_EQ(regions, 1U);
}

double shrinkage(const at::Tensor& weights, float bias) {
  const int64_t channels = weights.size(0);
  const WeightRatios ratios =
      weight_ratios(weights, at::full({weights.size(1)}, 1.0F), at::full({channels}, bias),
                    at::full({channels}, 1e-9F));
  return bias_shrinkage(ratios, static_cast<double>(bias), weights.max().item<double>());
}

TEST(BiasShrinkage, FollowsTheTableOfTheRule) {
  const auto uniform = [](float weight, float bias) {
    return shrinkage(at::full({3, 35}, weight), bias);
  };
  EXPECT_EQ(uniform(1, 1), 2);
  EXPECT_EQ(uniform(1, 9), 2);
  EXPECT_EQ(uniform(1, 12), 5);
  EXPECT_EQ(uniform(1, 16), 10);
  EXPECT_EQ(uniform(1, 31), 20);
  EXPECT_EQ(uniform(0.1F, 2.5F), 10);
}

TEST(BiasShrinkage, LooksAtMedianAndMeanOfTheRatios) {
  at::Tensor weight = at::full({1, 4}, 0.001F);
  weight[0][0] = 1.0F;
  EXPECT_EQ(shrinkage(weight, 0.5F), 5);
  weight = at::full({1, 4}, 1.0F);
  weight[0][0] = 0;
  EXPECT_EQ(shrinkage(weight, 0.5F), 5);
  // The lower of two in the middle.
  weight = at::cat({at::full({1, 20}, 1.0F), at::full({1, 20}, 0.004F)}, 1);
  EXPECT_EQ(shrinkage(weight, 0.5F), 2);
}

}  // namespace
}  // namespace ptq::passes
