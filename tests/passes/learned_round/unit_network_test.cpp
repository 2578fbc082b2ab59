#include "passes/learned_round/unit_network.h"

#include <gtest/gtest.h>

#include "passes/learned_round/whole_units.h"
#include "quant/fake_quantize.h"
#include "support/run_graph.h"

namespace ptq::passes {
namespace {

struct Trained {
  explicit Trained(GraphBuilder& builder) : unit(whole(builder.graph)), network(builder, unit) {
    for (ir::Node* layer : network.layers()) {
      weights.push_back(ir::weighted(layer->op)->weight.value.clone());
    }
  }
  runtime::SweepUnit unit;
  UnitNetwork network;
  Tensors weights;
};

/// Compares derivatives of <g, output> by a few numbers of each weight with central differences.
void expect_derivatives(GraphBuilder& builder, const at::Tensor& x) {
  Trained trained(builder);
  ASSERT_FALSE(trained.weights.empty());
  const at::Tensor output = trained.network.forward(x, trained.weights);
  const at::Tensor by_output = normals(output.sizes().vec(), 1, 11);
  const Tensors by_weights = trained.network.backward(by_output);
  const auto loss = [&] {
    return trained.network.forward(x, trained.weights)
        .mul(by_output)
        .sum(at::kDouble)
        .item<double>();
  };
  for (size_t layer = 0; layer < trained.weights.size(); ++layer) {
    const double largest = by_weights[layer].abs().max().item<double>();
    for (int64_t i = 0; i < by_weights[layer].numel(); i += by_weights[layer].numel() / 3) {
      float& weight = trained.weights[layer].data_ptr<float>()[i];
      const float start = weight;
      constexpr float kStep = 4e-3F;
      weight = start + kStep;
      const double above = loss();
      weight = start - kStep;
      const double below = loss();
      weight = start;
      EXPECT_NEAR(by_weights[layer].flatten()[i].item<double>(),
                  (above - below) / (2 * double{kStep}), 0.01 * largest)
          << "layer " << layer << ", weight " << i;
    }
  }
}

TEST(UnitNetwork, DerivesAnInvertedResidual) {
  GraphBuilder builder({4, 8, 8});
  const auto wide = builder.conv(builder.input(), 12, {1, 1, 0});
  const auto depthwise = builder.conv(builder.add(ir::Silu{}, {wide}), 12, {3, 1, 1, 12});
  const auto narrow = builder.conv(builder.add(ir::Hardswish{}, {depthwise}), 4, {1, 1, 0});
  builder.graph.output = builder.add(ir::Add{}, {narrow, builder.input()});
  for (const auto value : {wide, depthwise, narrow}) builder.quantize_weight(value, 1e-3);
  expect_derivatives(builder, normals({3, 4, 8, 8}, 1, 7));
}

TEST(UnitNetwork, DerivesBranchesAndPools) {
  GraphBuilder builder({4, 8, 8});
  const auto squeeze = builder.conv(builder.input(), 6, {1, 1, 0});
  const auto shared = builder.add(ir::Gelu{}, {squeeze});
  const auto left = builder.conv(shared, 4, {1, 1, 0});
  const auto right = builder.conv(shared, 5, {3, 1, 1});
  const auto joined = builder.add(ir::Concat{1}, {left, right});
  builder.graph.output =
      builder.add(ir::AvgPool{{2, 2}, {2, 2}, {0, 0}, false, true, {}}, {joined});
  for (const auto value : {squeeze, left, right}) builder.quantize_weight(value, 1e-3);
  expect_derivatives(builder, normals({2, 4, 8, 8}, 1, 7));
}

TEST(UnitNetwork, DerivesAttention) {
  GraphBuilder builder = attention(std::nullopt);
  expect_derivatives(builder, normals({2, 5, 8}, 1, 7));
}

TEST(UnitNetwork, DerivesTransposedConvolutionsAndConstants) {
  GraphBuilder builder = transposed_convolution();
  expect_derivatives(builder, normals({2, 3, 4, 4}, 1, 7));
}

/// Layers whose weights are not quantized stay as they are, and let derivatives through.
TEST(UnitNetwork, LearnsQuantizedWeightsAlone) {
  GraphBuilder builder({3, 6, 6});
  const auto first = builder.conv(builder.input(), 4);
  builder.graph.output = builder.conv(first, 2);
  builder.quantize_weight(first, 1e-3);
  Trained trained(builder);
  EXPECT_EQ(trained.weights.size(), 1);
  expect_derivatives(builder, normals({2, 3, 6, 6}, 1, 7));
}

TEST(UnitNetwork, ComputesWhatTheQuantizedNetworkComputes) {
  GraphBuilder builder({3, 6, 6});
  const auto in = builder.fake_quantize(builder.input(), 0.05);
  const auto conv = builder.conv(in, 4);
  const auto relu = builder.add(ir::Relu{}, {conv});
  const auto linear = builder.linear(builder.flatten(builder.fake_quantize(relu, 0.03, false)), 5);
  builder.quantize_weight(conv, 0.05);
  builder.quantize_weight(linear, 0.05);
  builder.graph.output = linear;
  const at::Tensor x = normals({2, 3, 6, 6}, 1, 7);
  Trained trained(builder);
  for (size_t i = 0; i < trained.weights.size(); ++i) {
    trained.weights[i] = quant::fake_quantize_weight(
        trained.weights[i], builder.table,
        ir::weighted(trained.network.layers()[i]->op)->weight_quantizer);
  }
  const auto interpreter =
      runtime::make_interpreter(builder, {runtime::Numerics::kQuantized, {}, 1});
  EXPECT_LT(testing::relative_difference(trained.network.forward(x, trained.weights),
                                         interpreter->run(x)),
            1e-5);
}

/// One step of an activation quantizer is coarse: derivatives go straight through it.
TEST(UnitNetwork, DerivesStraightThroughQuantizers) {
  GraphBuilder builder({3, 6, 6});
  const auto first = builder.conv(builder.input(), 4);
  const auto coarse = builder.fake_quantize(first, 100);
  builder.graph.output = builder.conv(coarse, 2);
  builder.quantize_weight(first, 1e-3);
  GraphBuilder plain({3, 6, 6});
  const auto same = plain.conv(plain.input(), 4);
  plain.graph.output = plain.conv(same, 2);
  plain.quantize_weight(same, 1e-3);
  const at::Tensor x = normals({2, 3, 6, 6}, 1, 7);
  Trained with(builder);
  Trained without(plain);
  const at::Tensor g = normals({2, 2, 6, 6}, 1, 8);
  with.network.forward(x, with.weights);
  without.network.forward(x, without.weights);
  EXPECT_LT(
      testing::relative_difference(with.network.backward(g)[0], without.network.backward(g)[0]),
      1e-6);
}

}  // namespace
}  // namespace ptq::passes
