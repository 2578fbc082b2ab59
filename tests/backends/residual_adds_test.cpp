#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "quant/layer_quantizers.h"
#include "quantized_sites.h"

namespace ptq::backends {
namespace {

using testing::basic_block;
using testing::NetworkBuilder;
using testing::place;
using testing::Placed;
using ValueId = ir::ValueId;

PlacementOptions with(ResidualAdds adds) {
  PlacementOptions options;
  options.residual_adds = adds;
  return options;
}

/// A transformer's stream: layer norms read it, what they lead to is added to it.
NetworkBuilder stream() {
  NetworkBuilder net({4, 6});
  const ValueId embed = net.linear("embed", net.input(), 6);
  const ValueId mlp = net.linear("mlp", net.layer_norm("ln", embed), 6);
  const ValueId sum = net.add("sum", ir::Add{}, {mlp, embed});
  const ValueId mlp2 = net.linear("mlp2", net.layer_norm("ln2", sum), 6);
  const ValueId sum2 = net.add("sum2", ir::Add{}, {sum, mlp2});
  net.linear("head", sum2, 5);
  return net;
}

/// Whether an add reads a FakeQuantize of so many bits or, with 0, none.
bool every_operand_has(const Placed& placed, int bits) {
  ir::Graph graph = placed.graph;
  const ir::Index index(graph);
  for (const ir::Node& node : graph.nodes) {
    if (!node.is<ir::Add>()) continue;
    for (const ValueId input : node.inputs) {
      const auto* fake = index.producer(input)->as<ir::FakeQuantize>();
      const int found =
          fake == nullptr ? 0 : quant::bit_width(placed.table.at(fake->quantizer).format);
      if (found != bits) return false;
    }
  }
  return true;
}

TEST(WideResidualAdds, GiveOperandsAndSumsSixteenBitsAndLayersEight) {
  const Placed placed = place(stream(), with(ResidualAdds::kWide));
  EXPECT_EQ(placed.activation_bits(),
            "input:8 embed:16 embed:8 ln:8 mlp:16 sum:16 ln2:8 mlp2:16 sum2:8 head:8");
  EXPECT_TRUE(every_operand_has(placed, 16));
}

TEST(WideResidualAdds, ShareNoScaleAndHaveHeadroom) {
  const Placed placed = place(stream(), with(ResidualAdds::kWide));
  EXPECT_EQ(placed.sites(),
            "input:s0 embed:s1 embed:s2 ln:s3 mlp:s4 sum:s5 ln2:s6 mlp2:s7 sum2:s8 head:s9");
  EXPECT_EQ(placed.scale_behind("sum").threshold_divisor, 32768 / 4);
  EXPECT_EQ(placed.scale_behind("sum2").threshold_divisor, 128);
}

TEST(WideResidualAdds, AreSymmetricWhateverLayersRead) {
  PlacementOptions options = with(ResidualAdds::kWide);
  options.activations->symmetry = quant::Symmetry::kAsymmetric;
  EXPECT_EQ(place(stream(), options).sites(),
            "input:a0 embed:s1 embed:a2 ln:a3 mlp:s4 sum:s5 ln2:a6 mlp2:s7 sum2:a8 head:a9");
}

TEST(WideResidualAdds, LeaveTheOtherReadersOfAnOperandAsTheyWere) {
  const Placed placed = place(basic_block(), with(ResidualAdds::kWide));
  EXPECT_EQ(placed.activation_bits(),
            "input:8 stem.relu:16 stem.relu:8 relu1:8 conv2:16 relu2:8 fc:8");
  // The relu's own scale has the divisor of unsigned codes: no add shares it.
  EXPECT_EQ(placed.sites(), "input:s0 stem.relu:s1 stem.relu:u2 relu1:u3 conv2:s4 relu2:u5 fc:s6");
  const ir::Graph& graph = placed.graph;
  const auto relu = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                 [](const ir::Node& node) { return node.name == "relu2"; });
  const auto add = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                [](const ir::Node& node) { return node.is<ir::Add>(); });
  EXPECT_EQ(relu->inputs[0], add->output());
}

TEST(FloatResidualAdds, ReadWhatWasThereBeforeQuantization) {
  const Placed placed = place(stream(), with(ResidualAdds::kFloat));
  EXPECT_EQ(placed.activation_bits(), "input:8 embed:8 ln:8 ln2:8 sum2:8 head:8");
  EXPECT_TRUE(every_operand_has(placed, 0));
  EXPECT_EQ(place(basic_block(), with(ResidualAdds::kFloat)).sites(),
            "input:s0 stem.relu:u1 relu1:u2 relu2:u3 fc:s4");
}

TEST(ReleasedResidualAdds, GiveEveryLayerEightBitsAndABiasOfThatScale) {
  for (const ResidualAdds adds : {ResidualAdds::kWide, ResidualAdds::kFloat}) {
    Placed placed = place(stream(), with(adds));
    const ir::Index index(placed.graph);
    for (const ir::Node& node : placed.graph.nodes) {
      const ir::Weighted* layer = ir::weighted(node.op);
      if (layer == nullptr) continue;
      const ir::QuantizerId input = quant::input_quantizer(index, node);
      ASSERT_NE(input, ir::kNoQuantizer) << node.name;
      EXPECT_EQ(quant::bit_width(placed.table.at(input).format), 8) << node.name;
      EXPECT_NE(layer->bias_quantizer, ir::kNoQuantizer) << node.name;
      placed.table.scale_of(input).value = at::ones({}).mul(3);
      placed.table.scale_of(layer->weight_quantizer).value = at::ones({}).mul(2);
      EXPECT_EQ(quant::bias_scale(index, node, placed.table).item<float>(), 6) << node.name;
    }
  }
}

TEST(ReleasedResidualAdds, QuantizeASumOnTheWayThroughAPoolIntoALayer) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.conv("a", net.input(), {});
  const ValueId sum = net.add("sum", ir::Add{}, {a, net.conv("b", a, {})});
  const ValueId pool = net.add("pool", ir::MaxPool{{2, 2}, {2, 2}, {0, 0}, {1, 1}, false}, {sum});
  net.linear("fc", net.reshape("flat", pool, {36}), 5);
  EXPECT_EQ(place(net, with(ResidualAdds::kWide)).activation_bits(),
            "input:8 a:16 a:8 b:16 sum:16 flat:8 fc:8");
  EXPECT_EQ(place(net, with(ResidualAdds::kFloat)).activation_bits(), "input:8 a:8 flat:8 fc:8");
}

TEST(ReleasedResidualAdds, AlignAConcatOfASumWithEightBits) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.conv("a", net.input(), {});
  const ValueId sum = net.add("sum", ir::Add{}, {net.conv("b", a, {}), a});
  const ValueId both = net.add("concat", ir::Concat{1}, {sum, net.conv("c", a, {})});
  net.conv("last", both, {});
  EXPECT_EQ(place(net, with(ResidualAdds::kFloat)).sites(), "input:s0 a:s1 sum:s2 c:s2 last:s3");
}

TEST(ReleasedResidualAdds, KeepASumWithAConstantUnderTheUsualRules) {
  NetworkBuilder net({4, 6});
  const ValueId embed = net.linear("embed", net.input(), 6);
  const ValueId position = net.add("position", ir::Constant{{"position", at::ones({1, 4, 6})}}, {});
  net.linear("head", net.add("sum", ir::Add{}, {embed, position}), 5);
  const std::string usual = place(net).sites();
  EXPECT_EQ(place(net, with(ResidualAdds::kWide)).sites(), usual);
  EXPECT_EQ(place(net, with(ResidualAdds::kFloat)).sites(), usual);
}

TEST(ReleasedResidualAdds, LeaveNothingForAddsWhoseActivationsAreDynamicOrInGroups) {
  PlacementOptions options = with(ResidualAdds::kFloat);
  options.activations->timing = quant::Timing::kDynamic;
  EXPECT_TRUE(every_operand_has(place(stream(), options), 0));
  options.activations->granularity = quant::Granularity::kPerGroup;
  options.activations->scale_type = quant::ScaleType::kPowerOfTwo;
  EXPECT_TRUE(every_operand_has(place(stream(), options), 0));
}

TEST(ReleasedResidualAdds, ChangeNothingWhereOnlyWeightsAreQuantized) {
  PlacementOptions options = with(ResidualAdds::kWide);
  options.activations.reset();
  EXPECT_EQ(place(stream(), options).activation_bits(), "");
}

}  // namespace
}  // namespace ptq::backends
