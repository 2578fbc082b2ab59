#include "eval/constant_layers.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "support/network_builder.h"

namespace ptq::eval {
namespace {

using ptq::testing::NetworkBuilder;

/// conv1 - relu - conv2 - rows, of which `change` may alter the first.
template <class Change>
std::optional<ConstantLayer> of_network(const Change& change, const at::Tensor& images) {
  NetworkBuilder network({3, 6, 6});
  const auto first = network.conv("conv1", network.input(), {});
  const auto relu = network.add("relu", ir::Relu{}, {first});
  network.reshape("rows", network.conv("conv2", relu, {}), {4 * 6 * 6});
  ir::Graph graph = network.graph();
  change(*graph.nodes.front().as<ir::Conv>());
  const auto found = constant_layer({graph, {}}, images, {});
  const auto node_by_node = constant_layer({graph, {}}, images, {1, false});
  EXPECT_EQ(found.has_value(), node_by_node.has_value());
  if (found && node_by_node) {
    EXPECT_EQ(found->name, node_by_node->name);
    EXPECT_EQ(found->is_zero, node_by_node->is_zero);
    EXPECT_EQ(found->after, node_by_node->after);
  }
  return found;
}

const auto kNoChange = [](ir::Conv&) {};

TEST(ConstantLayer, IsSilentAboutALivingNetwork) {
  EXPECT_FALSE(of_network(kNoChange, testing::normals({4, 3, 6, 6}, 1, 1)).has_value());
}

TEST(ConstantLayer, NamesTheFirstDeadLayerAndCountsThoseBehind) {
  const auto found = of_network(
      [](ir::Conv& conv) {
        conv.weight.value = at::zeros_like(conv.weight.value);
        conv.bias->value = at::zeros_like(conv.bias->value);
      },
      testing::normals({4, 3, 6, 6}, 1, 1));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->name, "conv1");
  EXPECT_TRUE(found->is_zero);
  EXPECT_EQ(found->after, 1);
}

TEST(ConstantLayer, TellsConstantFromZero) {
  const auto found =
      of_network([](ir::Conv& conv) { conv.weight.value = at::zeros_like(conv.weight.value); },
                 testing::normals({4, 3, 6, 6}, 1, 1));
  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->is_zero);
}

TEST(ConstantLayer, PassesByWhatIsTheSameForAllByDesign) {
  quant::QuantizerTable table;
  quant::Quantizer signed_bits;
  signed_bits.format = quant::IntegerFormat{8, true, false};
  const auto quantizer = table.add(signed_bits);
  table.scale_of(quantizer).value = at::full({}, 0.1);
  NetworkBuilder network({3, 6, 6});
  const auto flat = network.reshape("flat", network.input(), {108});
  const auto token = network.add("token", ir::Constant{network.parameter("token", {1, 108})}, {});
  const auto expand =
      network.add("expand", ir::Expand{{ir::Dim{1, true}, ir::Dim{108, false}}}, {token});
  const auto quantized = network.add("expand.quant", ir::FakeQuantize{quantizer}, {expand});
  network.linear("head", network.add("sum", ir::Add{}, {flat, quantized}), 10);
  for (const bool compile : {true, false}) {
    EXPECT_FALSE(
        constant_layer({network.graph(), table}, testing::normals({4, 3, 6, 6}, 1, 1), {1, compile})
            .has_value());
  }
}

/// A class token that is read out of a concat with tokens of the image (CaiT), and the token
/// behind.
TEST(ConstantLayer, PassesByAClassTokenAmongOthers) {
  for (const int64_t index : {0, 1}) {
    NetworkBuilder network({3, 6, 6});
    const auto tokens = network.reshape("tokens", network.input(), {3, 36});
    const auto token = network.add("token", ir::Constant{network.parameter("t", {1, 1, 36})}, {});
    const auto expand = network.add("expand", ir::Expand{{{1, true}, {1}, {36}}}, {token});
    const auto all = network.add("cat", ir::Concat{1}, {expand, tokens});
    const auto first =
        network.add("select", ir::Select{1, {index}}, {network.layer_norm("norm", all)});
    const auto query = network.linear("query", first, 10);
    network.add("sum", ir::Add{},
                {query, network.linear("head", network.reshape("flat", all, {144}), 10)});
    ir::Graph graph = network.graph();
    for (ir::Node& node : graph.nodes) {
      if (node.name == "query" && index == 1) {
        auto& weight = node.as<ir::Linear>()->weight.value;
        weight = at::zeros_like(weight);
      }
    }
    const auto found = constant_layer({graph, {}}, testing::normals({4, 3, 6, 6}, 1, 1), {});
    EXPECT_EQ(found.has_value(), index == 1);
  }
}

TEST(ConstantLayer, LooksAtAllImagesWhereTheFirstTwoAreEqual) {
  at::Tensor images = testing::normals({4, 3, 6, 6}, 1, 1);
  images[1] = images[0];
  EXPECT_FALSE(of_network(kNoChange, images).has_value());
}

TEST(ConstantLayer, JudgesNothingFromImagesThatAreAllEqual) {
  EXPECT_FALSE(of_network(kNoChange, testing::normals({1, 3, 6, 6}, 1, 1)).has_value());
  EXPECT_FALSE(of_network(kNoChange, at::zeros({4, 3, 6, 6})).has_value());
}

}  // namespace
}  // namespace ptq::eval
