// The second-order estimate against what it estimates, where the change is small.
#include "passes/bits/second_order.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>

#include "base/threads.h"
#include "ptq/base/error.h"
#include "ptq/runtime/executor.h"
#include "support/graph_builder.h"

namespace ptq::passes {
namespace {

using testing::normals;

constexpr int64_t kImages = 200;

/// A convolution, a residual, a constant and a head; fine quantizers, as small changes are to be.
struct Network {
  testing::GraphBuilder builder{{3, 6, 6}};
  ir::Graph graph;

  Network() {
    const auto first = builder.conv(builder.input(), 4);
    builder.quantize_weight(first, 0.02);
    const auto x = builder.fake_quantize(builder.add(ir::Relu{}, {first}), 0.02, false);
    const auto second = builder.conv(x, 4);
    builder.quantize_weight(second, 0.02);
    const auto fixed =
        builder.fake_quantize(builder.constant(normals({1, 4, 6, 6}, 1, 3)), 0.1, true);
    const auto sum = builder.add(ir::Add{}, {builder.add(ir::Add{}, {x, second}), fixed});
    const auto head = builder.linear(builder.flatten(builder.add(ir::Relu{}, {sum})), 6);
    builder.quantize_weight(head, 0.02);
    graph = builder.finish(builder.add(ir::MulScalar{0.2}, {head}));
  }
};

NextBatch all_images() {
  auto done = std::make_shared<bool>(false);
  return [done]() -> std::optional<at::Tensor> {
    if (std::exchange(*done, true)) return std::nullopt;
    return normals({kImages, 3, 6, 6}, 1, 11);
  };
}

at::Tensor logits(NetworkView network, bool quantized) {
  runtime::ExecutorOptions options;
  options.numerics = quantized ? runtime::Numerics::kQuantized : runtime::Numerics::kFloat;
  return runtime::make_interpreter(network, options)->run(*all_images()());
}

/// The graph with one quantizer.
ir::Graph only(const ir::Graph& graph, ir::QuantizerId id) {
  ir::Graph one = graph;
  for (auto node = one.nodes.begin(); node != one.nodes.end();) {
    ir::Weighted* layer = ir::weighted(node->op);
    if (layer != nullptr && layer->weight_quantizer != id) {
      layer->weight_quantizer = ir::kNoQuantizer;
    }
    const auto* fake = node->as<ir::FakeQuantize>();
    if (fake == nullptr || fake->quantizer == id) {
      ++node;
      continue;
    }
    one.replace_uses(node->output(), node->inputs[0]);
    node = one.nodes.erase(node);
  }
  return one;
}

double divergence(const at::Tensor& exact, const at::Tensor& other) {
  const at::Tensor p = at::softmax(exact, 1);
  return p.mul(at::log_softmax(exact, 1).sub(at::log_softmax(other, 1))).sum().item<double>() /
         static_cast<double>(exact.size(0));
}

TEST(SecondOrder, IsNearTheDivergenceOfSmallChanges) {
  const Network network;
  const auto table = std::make_shared<const quant::QuantizerTable>(network.builder.table);
  std::vector<runtime::QuantizerVariant> variants;
  for (size_t id = 0; id < table->quantizers.size(); ++id) {
    variants.push_back({{static_cast<ir::QuantizerId>(id)}, table});
  }
  const auto estimates = second_order_losses(network.graph, variants, 1, {1}, all_images());
  const at::Tensor exact = logits(network.builder, false);
  ASSERT_EQ(estimates.size(), 5U);
  for (size_t id = 0; id < variants.size(); ++id) {
    const ir::Graph one = only(network.graph, static_cast<ir::QuantizerId>(id));
    const double expected = divergence(exact, logits({one, *table}, true));
    // 200 images with one random direction each: the mean of the squares of that many normal
    // numbers is within 0.7 and 1.4 with a probability of 0.999.
    EXPECT_GT(estimates[id], 0.6 * expected) << id;
    EXPECT_LT(estimates[id], 1.6 * expected) << id;
    EXPECT_GT(expected, 1e-7) << id;
  }
}

TEST(SecondOrder, OfSeveralQuantizersIsThatOfTheirSum) {
  const Network network;
  const auto table = std::make_shared<const quant::QuantizerTable>(network.builder.table);
  const auto all =
      second_order_losses(network.graph, {{{0, 1, 2, 3, 4}, table}}, 1, {1}, all_images());
  const double expected = divergence(logits(network.builder, false), logits(network.builder, true));
  EXPECT_GT(all.front(), 0.6 * expected);
  EXPECT_LT(all.front(), 1.6 * expected);
}

/// Convolutions for which LibTorch has one way on one thread and another on several.
TEST(SecondOrder, IsTheSameForAnyNumberOfThreads) {
  testing::GraphBuilder builder({3, 28, 28});
  const auto wide = builder.conv(builder.input(), 64);
  const auto narrow = builder.conv(builder.add(ir::Relu{}, {wide}), 16, {1, 1, 0});
  const auto head = builder.linear(builder.flatten(builder.add(ir::Relu{}, {narrow})), 6);
  for (const auto layer : {wide, narrow, head}) builder.quantize_weight(layer, 0.02);
  const ir::Graph graph = builder.finish(builder.add(ir::MulScalar{0.2}, {head}));
  const auto table = std::make_shared<const quant::QuantizerTable>(builder.table);
  const auto losses = [&](const runtime::Execution& execution) {
    set_intra_op_threads(execution.threads);
    auto images = std::make_shared<int>(0);
    return second_order_losses(graph, {{{0}, table}, {{1}, table}, {{2}, table}}, 1, execution,
                               [images]() -> std::optional<at::Tensor> {
                                 if (++*images == 3) return std::nullopt;
                                 return normals({5, 3, 28, 28}, 1, *images);
                               });
  };
  const std::vector<double> alone = losses({1});
  EXPECT_EQ(losses({3}), alone);
  runtime::Execution hardly_any_memory{3};
  hardly_any_memory.activation_memory = 1;
  EXPECT_EQ(losses(hardly_any_memory), alone);
  set_intra_op_threads(available_cores());
}

TEST(SecondOrder, NeedsImages) {
  const Network network;
  EXPECT_THROW(
      second_order_losses(network.graph, {}, 1, {1}, [] { return std::optional<at::Tensor>(); }),
      DataError);
}

}  // namespace
}  // namespace ptq::passes
