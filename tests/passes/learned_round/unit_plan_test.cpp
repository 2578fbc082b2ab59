#include "passes/learned_round/unit_plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/threads.h"
#include "passes/learned_round/unit_network.h"
#include "passes/learned_round/whole_units.h"
#include "support/run_graph.h"

namespace ptq::passes {
namespace {

struct Outcome {
  at::Tensor output;
  Tensors by_weights;
};

Tensors weights_of(const std::vector<ir::Node*>& layers) {
  Tensors weights;
  for (const ir::Node* layer : layers) weights.push_back(ir::weighted(layer->op)->weight.value);
  return weights;
}

Outcome by_network(GraphBuilder& builder, const at::Tensor& x, const Dropping& dropping) {
  const runtime::SweepUnit unit = whole(builder.graph);
  UnitNetwork network(builder, unit);
  const at::Tensor output = network.forward(x, weights_of(network.layers()), dropping);
  return {output, network.backward(normals(output.sizes().vec(), 1, 11))};
}

Outcome by_plan(GraphBuilder& builder, const at::Tensor& x, const Dropping& dropping, int threads) {
  set_intra_op_threads(threads);
  const runtime::SweepUnit unit = whole(builder.graph);
  EXPECT_TRUE(UnitPlan::fits(builder.graph, unit));
  UnitPlan plan(builder, unit, {x.size(0), false});
  Outcome outcome;
  const ir::Dims& shape = builder.graph.values[static_cast<size_t>(unit.output)].shape;
  outcome.output = at::zeros(ir::at_batch(shape, x.size(0)));
  const at::Tensor g = normals(outcome.output.sizes().vec(), 1, 11);
  // The second step finds the memory of the first one.
  for (int step = 0; step < 2; ++step) {
    outcome.by_weights =
        plan.gradients(x, weights_of(plan.layers()), dropping,
                       [&](const at::Tensor& output, int64_t first, at::Tensor& to) {
                         outcome.output.narrow(0, first, output.size(0)).copy_(output);
                         to.copy_(g.narrow(0, first, output.size(0)));
                       })
            .by_weights;
  }
  EXPECT_TRUE(plan.takes(x.size(0)));
  const at::Tensor undropped = plan.forward(x, x.size(0), weights_of(plan.layers()));
  const bool channels_last = plan.planes() == Planes::kChannelsLast && undropped.dim() == 4;
  EXPECT_TRUE(undropped.is_contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                                    : at::MemoryFormat::Contiguous));
  EXPECT_TRUE(dropping.probability > 0 || undropped.equal(outcome.output));
  set_intra_op_threads(1);
  return outcome;
}

void expect_as_by_network(GraphBuilder& builder, const at::Tensor& x) {
  for (const double probability : {0.0, 0.5}) {
    const Dropping dropping{probability, 77};
    const Outcome expected = by_network(builder, x, dropping);
    const Outcome one = by_plan(builder, x, dropping, 1);
    const Outcome three = by_plan(builder, x, dropping, 3);
    EXPECT_LT(testing::relative_difference(one.output, expected.output), 1e-5);
    ASSERT_EQ(one.by_weights.size(), expected.by_weights.size());
    for (size_t i = 0; i < one.by_weights.size(); ++i) {
      EXPECT_LT(testing::relative_difference(one.by_weights[i], expected.by_weights[i]), 1e-5);
      EXPECT_TRUE(one.by_weights[i].equal(three.by_weights[i])) << "threads change layer " << i;
    }
  }
}

TEST(UnitPlan, DerivesAnInvertedResidual) {
  GraphBuilder builder({4, 9, 7});
  const auto input = builder.fake_quantize(builder.input(), 0.2);
  const auto wide = builder.conv(input, 12, {1, 1, 0});
  const auto first = builder.fake_quantize(builder.add(ir::Relu6{}, {wide}), 0.1, false);
  const auto depthwise = builder.conv(first, 12, {3, 1, 1, 12});
  const auto second = builder.fake_quantize(builder.add(ir::Relu{}, {depthwise}), 0.05, false);
  const auto narrow = builder.conv(second, 4, {1, 1, 0});
  const auto sum = builder.add(ir::Add{}, {builder.fake_quantize(narrow, 0.1), input});
  builder.graph.output = builder.fake_quantize(sum, 0.1);
  for (const auto value : {wide, depthwise, narrow}) builder.quantize_weight(value, 1e-3);
  expect_as_by_network(builder, normals({6, 4, 9, 7}, 1, 7));
}

/// As equalization leaves them; the value of one pixel lies row-major and channels-last alike.
TEST(UnitPlan, ClampsAtTheCeilingOfEachChannel) {
  for (const int64_t side : {5, 1}) {
    GraphBuilder builder({4, side, side});
    const auto wide = builder.conv(builder.fake_quantize(builder.input(), 0.2), 12, {1, 1, 0});
    ir::Relu6 clamp;
    clamp.ceiling = ir::Parameter{"ceiling", at::arange(1, 13).view({12, 1, 1}).mul(0.1)};
    const auto first = builder.fake_quantize(builder.add(clamp, {wide}), 0.05, false);
    builder.graph.output = builder.conv(first, 4, {1, 1, 0});
    for (const auto value : {wide, builder.graph.output}) builder.quantize_weight(value, 1e-3);
    expect_as_by_network(builder, normals({6, 4, side, side}, 1, 7));
  }
}

/// A value with several readers, strides that leave pixels over, groups, and a float layer.
TEST(UnitPlan, DerivesBranchesAndOtherLayers) {
  GraphBuilder builder({4, 9, 9});
  const auto squeeze = builder.conv(builder.input(), 6, {1, 1, 0});
  const auto shared = builder.add(ir::Relu{}, {squeeze});
  const auto quantized = builder.fake_quantize(shared, 0.1, false);
  const auto left = builder.conv(quantized, 4, {3, 2, 1, 2});
  const auto right = builder.conv(shared, 5, {3, 2, 1});
  const auto joined = builder.add(ir::Concat{1}, {left, right, left});
  const auto pooled = builder.add(ir::AvgPool{{2, 2}, {2, 2}, {0, 0}, false, true, {}}, {joined});
  builder.graph.output = builder.conv(builder.add(ir::Gelu{}, {pooled}), 3);
  for (const auto value : {squeeze, left}) builder.quantize_weight(value, 1e-3);
  expect_as_by_network(builder, normals({5, 4, 9, 9}, 1, 7));
}

TEST(UnitPlan, DerivesAttention) {
  GraphBuilder builder = attention(0.1);
  expect_as_by_network(builder, normals({4, 5, 8}, 1, 7));
}

TEST(UnitPlan, DerivesTransposedConvolutionsAndConstants) {
  GraphBuilder builder = transposed_convolution();
  expect_as_by_network(builder, normals({2, 3, 4, 4}, 1, 7));
}

/// What LibTorch has no derivative of hands on zeros: to the layer alone, and beside others.
TEST(UnitPlan, DerivesNothingByWhatOnlyShapesTheResult) {
  GraphBuilder builder({3, 8});
  const auto outer = builder.linear(builder.input(), 4);
  const auto inner = builder.linear(outer, 4);
  const auto ones = [&](ir::ValueId value) {
    return builder.add(ir::Opaque{"aten::ones_like",
                                  "",
                                  {ir::InputRef{0}, std::monostate{}, std::monostate{},
                                   std::monostate{}, std::monostate{}, std::monostate{}}},
                       {value});
  };
  const auto sum = builder.add(ir::Add{}, {outer, ones(inner)});
  builder.graph.output = builder.add(ir::Mul{}, {sum, ones(outer)});
  for (const auto value : {outer, inner}) builder.quantize_weight(value, 1e-3);
  const at::Tensor x = normals({4, 3, 8}, 1, 7);
  const Tensors expected = by_network(builder, x, {}).by_weights;
  const Tensors found = by_plan(builder, x, {}, 1).by_weights;
  ASSERT_EQ(found.size(), 2);
  EXPECT_LT(testing::relative_difference(found[0], expected[0]), 1e-5);
  for (const at::Tensor& by_weight : {expected[1], found[1]}) {
    EXPECT_TRUE(by_weight.eq(0).all().item<bool>());
  }
}

/// y - x where codes do not clip, y where they do, times what comes from behind.
TEST(UnitPlan, DerivesByTheLogarithmOfAScale) {
  GraphBuilder builder({3, 40});
  const auto input = builder.fake_quantize(builder.input(), 0.2, true, 4);
  builder.graph.output = builder.linear(input, 2);
  builder.quantize_weight(builder.graph.output, 1e-3);
  const runtime::SweepUnit unit = whole(builder.graph);
  UnitPlan plan(builder, unit, {6, true});
  ASSERT_EQ(plan.scales().size(), 1);
  const at::Tensor x = normals({6, 3, 40}, 1, 7);
  const at::Tensor g = normals({6, 3, 2}, 1, 8);
  const UnitPlan::Gradients by =
      plan.gradients(x, weights_of(plan.layers()), {},
                     [&](const at::Tensor& output, int64_t first, at::Tensor& to) {
                       to.copy_(g.narrow(0, first, output.size(0)));
                     });
  const at::Tensor y = x.div(0.2).round().clamp(-8, 7).mul(0.2);
  const at::Tensor clips = x.div(0.2).round().ne(y.div(0.2).round());
  const at::Tensor by_y = g.matmul(weights_of(plan.layers())[0]);
  const at::Tensor expected = y.sub(x.masked_fill(clips, 0)).mul(by_y).sum();
  EXPECT_GT(clips.sum().item<int64_t>(), 0);
  EXPECT_NEAR(by.by_scales[0], expected.item<double>(), 1e-4 * std::abs(expected.item<double>()));
}

TEST(UnitPlan, LeavesScalesThatOthersShare) {
  GraphBuilder builder({3, 8});
  const auto input = builder.fake_quantize(builder.input(), 0.2);
  const auto inner = builder.linear(input, 4);
  const auto own = builder.fake_quantize(inner, 0.1);
  const auto outer = builder.linear(own, 2);
  const auto after = builder.fake_quantize_with(
      outer, builder.graph.nodes.front().as<ir::FakeQuantize>()->quantizer);
  builder.quantize_weight(inner, 1e-3);
  builder.graph.output = after;
  runtime::SweepUnit unit{{}, builder.input(), outer};
  for (ir::Node& node : builder.graph.nodes) {
    if (node.output() != after) unit.nodes.push_back(&node);
  }
  const UnitPlan plan(builder, unit, {2, true});
  ASSERT_EQ(plan.scales().size(), 1);
  EXPECT_EQ(plan.scales()[0], builder.table.at(1).scale);
}

/// One image, and values so large that each is taken by itself.
TEST(UnitPlan, TakesAnyNumberOfImages) {
  for (const int64_t images : {1, 3, 20}) {
    GraphBuilder builder({3, 24, 24});
    const auto conv = builder.conv(builder.input(), 70);
    builder.graph.output = builder.conv(builder.add(ir::Relu{}, {conv}), 2);
    builder.quantize_weight(conv, 1e-3);
    builder.quantize_weight(builder.graph.output, 1e-3);
    expect_as_by_network(builder, normals({images, 3, 24, 24}, 1, 7));
  }
}

TEST(UnitPlan, NeedsImagesInTheFirstDimension) {
  GraphBuilder builder({3, 4});
  const auto turned = builder.add(ir::Permute{{1, 0, 2}}, {builder.input()});
  builder.graph.output = builder.linear(turned, 2);
  EXPECT_FALSE(UnitPlan::fits(builder.graph, whole(builder.graph)));
}

}  // namespace
}  // namespace ptq::passes
