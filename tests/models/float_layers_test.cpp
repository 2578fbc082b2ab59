#include "models/float_layers.h"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "ir/clamp.h"
#include "ptq/base/error.h"

namespace ptq::models {
namespace {

/// pad -> conv -> batch norm -> `activation`, as TensorFlow pads at stride 2.
ir::Graph block(ir::Op activation) {
  ir::Graph graph;
  const ir::Dims shape{{1, true}, {2, false}, {8, false}, {8, false}};
  graph.input = graph.add_value("images", shape);
  ir::ValueId x = graph.input;
  const auto add = [&](const std::string& name, ir::Op op) {
    x = graph.insert(graph.nodes.end(), {name, name, std::move(op), {x}, {}}, shape).output();
  };
  const ir::Dims below_and_right{{0, false}, {1, false}, {0, false}, {1, false}};
  add("pad", ir::Opaque{"aten::constant_pad_nd", "", {ir::InputRef{0}, below_and_right, 0.0}, 0});
  ir::Conv conv;
  conv.weight = {"stem.conv.weight", at::ones({2, 2, 3, 3})};
  conv.stride = {2, 2}, conv.padding = {0, 0}, conv.dilation = {1, 1};
  add("stem.conv", std::move(conv));
  ir::BatchNorm norm;
  norm.running_mean = {"stem.bn.running_mean", at::ones({2})};
  norm.running_var = {"stem.bn.running_var", at::ones({2})};
  norm.eps = 1e-3;
  add("stem.bn", std::move(norm));
  add("stem.activation", std::move(activation));
  graph.output = x;
  return graph;
}

TEST(FloatLayers, SayHowALayerIsPaddedAndNormalized) {
  const ir::Graph graph = block(ir::Relu6{});
  const FloatLayers layers(&graph);
  const FloatLayers::Padding* padding = layers.padding("stem.conv");
  ASSERT_NE(padding, nullptr);
  EXPECT_EQ(padding->symmetric, (ir::Ints{0, 0}));
  EXPECT_TRUE(padding->zeros.has_value());
  EXPECT_EQ(layers.eps("stem.bn", 1), 1e-3);
  EXPECT_TRUE(std::holds_alternative<ir::Relu6>(layers.activation("stem.bn")));
}

ir::Op hardtanh(double lowest, double highest) {
  return ir::Opaque{"aten::hardtanh", "", {ir::InputRef{0}, lowest, highest}, 0};
}

TEST(FloatLayers, TakeOverTheBoundOfAClamp) {
  const ir::Graph graph = block(hardtanh(0, 4));
  const auto bounds = ir::clamp_bounds(FloatLayers(&graph).activation("stem.bn"));
  ASSERT_TRUE(bounds.has_value());
  EXPECT_EQ(bounds->highest.item<float>(), 4);
}

TEST(FloatLayers, RefuseWhatUnsignedCodesCannotHold) {
  for (const ir::Op& op : {hardtanh(-1, 1), ir::Op(ir::Sigmoid{})}) {
    const ir::Graph graph = block(op);
    EXPECT_THROW(FloatLayers(&graph).activation("stem.bn"), ImportError);
  }
}

TEST(FloatLayers, KnowNothingOfOtherLayers) {
  const ir::Graph graph = block(ir::Relu{});
  const FloatLayers layers(&graph);
  EXPECT_EQ(layers.padding("stem"), nullptr);
  EXPECT_EQ(layers.eps("conv", 0.5), 0.5);
  EXPECT_TRUE(std::holds_alternative<ir::Relu>(layers.activation("stem.bn")));
  EXPECT_EQ(FloatLayers(nullptr).padding("stem.conv"), nullptr);
}

}  // namespace
}  // namespace ptq::models
