// Which quantizers must agree, on residual, concat and attention networks.
#include "passes/bits/bit_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "ptq/backends/placement.h"
#include "support/network_builder.h"

namespace ptq::passes {
namespace {

using ptq::testing::NetworkBuilder;
using quant::QuantizerKind;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ValueId = ir::ValueId;

struct Placed : QuantizedNetwork {
  std::vector<BitGroup> groups;

  explicit Placed(const NetworkBuilder& net)
      : QuantizedNetwork(backends::place(backends::Backend::kFx, net.graph(), {})),
        groups(bit_groups(*this)) {}

  /// The layers of each group of a kind.
  std::vector<std::vector<std::string>> layers(QuantizerKind kind) const {
    std::vector<std::vector<std::string>> found;
    for (const BitGroup& group : groups) {
      if (group.kind == kind) found.push_back(group.layers);
    }
    return found;
  }
};

/// Both operands of the add have one scale.
NetworkBuilder residual() {
  NetworkBuilder net({3, 8, 8});
  const ValueId stem = net.add("relu", ir::Relu{}, {net.conv("stem", net.input(), {})});
  const ValueId branch = net.conv("branch", stem, {});
  const ValueId sum = net.add("sum", ir::Add{}, {branch, stem});
  net.linear("head", net.reshape("flat", sum, {256}), 5);
  return net;
}

TEST(BitGroups, AreOneForTheOperandsOfAnAdd) {
  const Placed placed(residual());
  EXPECT_THAT(placed.layers(QuantizerKind::kWeight),
              ElementsAre(ElementsAre("stem"), ElementsAre("branch"), ElementsAre("head")));
  int64_t largest = 0;
  for (const BitGroup& group : placed.groups) {
    largest = std::max(largest, static_cast<int64_t>(group.quantizers.size()));
    for (const ir::QuantizerId id : group.quantizers) {
      for (const BitGroup& other : placed.groups) {
        if (&other == &group) continue;
        for (const ir::QuantizerId foreign : other.quantizers) {
          EXPECT_NE(placed.table.at(id).scale, placed.table.at(foreign).scale);
        }
      }
    }
  }
  EXPECT_GE(largest, 2);
}

TEST(BitGroups, AreOneForTheOperandsOfAConcat) {
  NetworkBuilder net({3, 8, 8});
  const ValueId left = net.add("a", ir::Relu{}, {net.conv("left", net.input(), {})});
  const ValueId right = net.add("b", ir::Relu{}, {net.conv("right", net.input(), {})});
  const ValueId both = net.add("both", ir::Concat{1}, {left, right});
  net.linear("head", net.reshape("flat", net.conv("tail", both, {}), {256}), 5);
  const Placed placed(net);
  const auto reads_tail = [](const BitGroup& group) {
    return group.kind == QuantizerKind::kActivation &&
           group.layers == std::vector<std::string>{"tail"};
  };
  const auto found = std::find_if(placed.groups.begin(), placed.groups.end(), reads_tail);
  ASSERT_NE(found, placed.groups.end());
  EXPECT_EQ(std::count_if(placed.groups.begin(), placed.groups.end(), reads_tail), 1);
  ir::Graph graph = placed.graph;
  const ir::Index index(graph);
  for (const ir::Node& node : graph.nodes) {
    if (!node.is<ir::Concat>()) continue;
    for (const ValueId operand : node.inputs) {
      const auto* fake = index.producer(operand)->as<ir::FakeQuantize>();
      ASSERT_NE(fake, nullptr);
      EXPECT_THAT(found->quantizers, Contains(fake->quantizer));
    }
  }
  // Convolutions that read one value are kernels of their own.
  EXPECT_THAT(placed.layers(QuantizerKind::kWeight),
              ElementsAre(ElementsAre("left"), ElementsAre("right"), ElementsAre("tail"),
                          ElementsAre("head")));
}

TEST(BitGroups, AreOneForQueryKeyAndValue) {
  NetworkBuilder net({5, 8});
  const ValueId x = net.linear("embed", net.input(), 8);
  const ValueId query = net.linear("q", x, 8), key = net.linear("k", x, 8);
  const ValueId value = net.linear("v", x, 8);
  const ValueId turned = net.add("k_t", ir::Permute{{0, 2, 1}}, {key});
  const ValueId scores = net.add("scores", ir::MatMul{}, {query, turned});
  const ValueId weights = net.add("softmax", ir::Softmax{-1}, {scores});
  const ValueId context = net.add("context", ir::MatMul{}, {weights, value});
  net.linear("head", net.reshape("flat", net.linear("out", context, 8), {40}), 5);
  const Placed placed(net);
  EXPECT_THAT(placed.layers(QuantizerKind::kWeight),
              ElementsAre(ElementsAre("embed"), ElementsAre("q", "k", "v"), ElementsAre("out"),
                          ElementsAre("head")));
}

TEST(BitGroups, LeaveMinifloatsOut) {
  backends::PlacementOptions options;
  options.weights.format = quant::MinifloatFormat{};
  options.activations->format = quant::MinifloatFormat{};
  const QuantizedNetwork placed =
      backends::place(backends::Backend::kFx, residual().graph(), options);
  EXPECT_THAT(bit_groups(placed), IsEmpty());
}

TEST(LayerCosts, CountProductsAndWeights) {
  const Placed placed(residual());
  const std::vector<LayerCost> costs = layer_costs(placed.graph);
  ASSERT_EQ(costs.size(), 3U);
  EXPECT_EQ(costs[0].weight.numel(), 3 * 4 * 9);
  EXPECT_EQ(costs[0].products, 3 * 4 * 9 * 64);
  EXPECT_EQ(costs[2].weight.numel(), 256 * 5);
  EXPECT_EQ(costs[2].products, 256 * 5);
  EXPECT_EQ(costs[1].inputs.size(), 1U);
}

/// Two ways through each add, and no quantizer where one ends.
TEST(LayerCosts, LookForInputsOnceAValue) {
  NetworkBuilder net({3, 8, 8});
  ValueId value = net.conv("stem", net.input(), {});
  for (int i = 0; i < 64; ++i) {
    value = net.add("sum" + std::to_string(i), ir::Add{}, {value, value});
  }
  net.linear("head", net.reshape("flat", value, {256}), 5);
  backends::PlacementOptions options;
  options.activations.reset();
  const auto placed = backends::place(backends::Backend::kFx, net.graph(), options);
  EXPECT_THAT(layer_costs(placed.graph).back().inputs, IsEmpty());
}

}  // namespace
}  // namespace ptq::passes
