#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "passes/learned_round/learn_unit.h"
#include "support/graph_builder.h"

namespace ptq::passes {
namespace {

using testing::normals;

constexpr int64_t kImages = 12;
constexpr int64_t kChannels = 6;

/// Two layers that learn together, and behind them a channel a hundred times as large as the
/// others.
struct Block {
  testing::GraphBuilder builder{{3, 6, 6}};
  runtime::SweepUnit unit;
  at::Tensor images =
      normals({kImages, 3, 3, 3}, 1, 9).repeat_interleave(2, 2).repeat_interleave(2, 3);

  Block() {
    const auto first = builder.conv(builder.input(), 8);
    builder.quantize_weight(first, 0.2);
    const auto second = builder.conv(builder.add(ir::Relu{}, {first}), kChannels, {1, 1, 0});
    builder.quantize_weight(second, 0.2);
    at::Tensor factors = at::ones({1, kChannels, 1, 1});
    factors.select(1, 0).fill_(100);
    builder.graph.output = builder.add(ir::Mul{}, {second, builder.constant(factors)});
    unit = {{}, builder.graph.input, builder.graph.output};
    for (ir::Node& node : builder.graph.nodes) {
      if (!node.is<ir::Constant>()) unit.nodes.push_back(&node);
    }
  }

  Tensors weights() const {
    Tensors all;
    for (const ir::Node* node : unit.nodes) {
      if (const ir::Weighted* layer = ir::weighted(node->op)) all.push_back(layer->weight.value);
    }
    return all;
  }
};

struct Learned {
  RoundedUnit unit;
  /// By channel, over all images: mean squares of the output's error and of the output in float.
  at::Tensor errors, energies;
};

Learned learned(ChannelError channel_error) {
  Block block;
  UnitNetwork network(block.builder, block.unit);
  const at::Tensor target = network.forward(block.images, block.weights());
  const auto all = [](const at::Tensor& value) {
    return ValueOfImages({kImages}, [value](int64_t) { return value; }, {});
  };
  LearnedRoundOptions options;
  options.channel_error = channel_error;
  options.iterations = 200;
  options.learning_rate = 0.05;
  options.batch_size = std::nullopt;
  Learned result;
  result.unit = learn_unit(network, nullptr, {all(block.images), all(block.images), all(target)},
                           block.builder.table, options, 1);
  const auto by_channel = [](const at::Tensor& x) { return x.square().mean({0, 2, 3}); };
  result.errors = by_channel(network.forward(block.images, block.weights()).sub(target));
  result.energies = by_channel(target);
  return result;
}

double relative_error_of_small_channels(const Learned& learned) {
  return learned.errors.div(learned.energies).slice(0, 1).mean().item<double>();
}

TEST(ChannelError, RelativeLetsSmallChannelsCount) {
  const double absolute = relative_error_of_small_channels(learned(ChannelError::kAbsolute));
  const double relative = relative_error_of_small_channels(learned(ChannelError::kRelative));
  EXPECT_LT(relative, 0.8 * absolute);  // about a half
}

TEST(ChannelError, IsReportedAsItCounts) {
  const Learned relative = learned(ChannelError::kRelative);
  const double harmonic_mean = 1 / relative.energies.reciprocal().mean().item<double>();
  EXPECT_NEAR(relative.unit.error_after,
              harmonic_mean * relative.errors.div(relative.energies).mean().item<double>(),
              1e-4 * relative.unit.error_after);
  const Learned absolute = learned(ChannelError::kAbsolute);
  EXPECT_NEAR(absolute.unit.error_after, absolute.errors.mean().item<double>(),
              1e-4 * absolute.unit.error_after);
}

}  // namespace
}  // namespace ptq::passes
