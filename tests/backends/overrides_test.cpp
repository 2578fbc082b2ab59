#include <gtest/gtest.h>

#include "ptq/base/error.h"
#include "quantized_sites.h"

namespace ptq::backends {
namespace {

using testing::basic_block;
using testing::NetworkBuilder;
using testing::place;
using testing::Placed;

PlacementOptions with(std::vector<LayerOverride> overrides) {
  PlacementOptions options;
  options.overrides = std::move(overrides);
  return options;
}

int weight_bits(const Placed& placed, const std::string& layer) {
  return quant::bit_width(placed.weight_of(layer).format);
}

TEST(Overrides, ChangeTheWeightsOfLayersWhoseNameHoldsThePattern) {
  const Placed placed = place(basic_block(), with({{"v[12]$", 4, std::nullopt}}));
  EXPECT_EQ(weight_bits(placed, "stem"), 8);
  EXPECT_EQ(weight_bits(placed, "conv1"), 4);
  EXPECT_EQ(weight_bits(placed, "conv2"), 4);
  EXPECT_EQ(placed.table.scale_of(placed.layer("conv1").weight_quantizer).threshold_divisor, 8);
  EXPECT_EQ(placed.activation_bits(), "input:8 stem.relu:8 relu1:8 conv2:8 relu2:8 fc:8");
}

TEST(Overrides, ChangeTheQuantizerOfALayersInputOnFx) {
  // conv2 reads relu1, whose quantizer is its own; fc reads relu2 through a reshape.
  const Placed placed =
      place(basic_block(), with({{"conv2", std::nullopt, 4}, {"fc", std::nullopt, 6}}));
  EXPECT_EQ(placed.activation_bits(), "input:8 stem.relu:8 relu1:4 conv2:8 relu2:6 fc:8");
  EXPECT_EQ(placed.scale_behind("relu1").threshold_divisor, 15);
}

TEST(Overrides, ChangeEveryQuantizerOnTheScaleOfALayersInput) {
  // conv1 reads stem.relu, which meets conv2 in an add: signed codes of 4 bits, T = 8.
  const Placed placed = place(basic_block(), with({{"conv1", std::nullopt, 4}}));
  EXPECT_EQ(placed.activation_bits(), "input:8 stem.relu:4 relu1:8 conv2:4 relu2:8 fc:8");
  EXPECT_EQ(placed.sites(), "input:s0 stem.relu:u1 relu1:u2 conv2:s1 relu2:u3 fc:s4");
  EXPECT_EQ(placed.scale_behind("stem.relu").threshold_divisor, 8);
}

TEST(Overrides, ChangeALayersOwnInputOnLayerwise) {
  const Placed placed =
      place(basic_block(), with({{"conv1", std::nullopt, 4}}), Backend::kLayerwise);
  EXPECT_EQ(placed.activation_bits(), "input:8 stem.relu:4 relu1:8 flat:8");
}

TEST(Overrides, ReachEveryOperandOfAConcatOfGroups) {
  NetworkBuilder net({4, 6, 6});
  const ir::ValueId a = net.add("a", ir::Relu{}, {net.conv("conv_a", net.input(), {})});
  const ir::ValueId b = net.add("b", ir::Relu{}, {net.conv("conv_b", net.input(), {})});
  net.conv("last", net.add("cat", ir::Concat{1}, {a, b}), {});
  PlacementOptions options = with({{"last", std::nullopt, 4}});
  options.activations->granularity = quant::Granularity::kPerGroup;
  EXPECT_EQ(place(net, options).activation_bits(), "input:8 a:4 b:4 last:8");
}

TEST(Overrides, CountTheLastThatMatches) {
  // The second speaks for conv2 alone, and leaves its activations as they are.
  const Placed placed = place(basic_block(), with({{"conv", 4, 4}, {"conv2", 2, std::nullopt}}));
  EXPECT_EQ(weight_bits(placed, "conv1"), 4);
  EXPECT_EQ(weight_bits(placed, "conv2"), 2);
  EXPECT_EQ(placed.scale_behind("relu1").threshold_divisor, 255);
}

TEST(Overrides, ComeAfterTheFormatsOfFirstAndLastLayers) {
  NetworkBuilder net({3, 4, 4});
  net.conv("first", net.input(), {});
  PlacementOptions options = with({{"first", 2, 3}});
  options.first_last = {quant::IntegerFormat{6}, quant::IntegerFormat{6}};
  const Placed placed = place(net, options, Backend::kLayerwise);
  EXPECT_EQ(weight_bits(placed, "first"), 2);
  EXPECT_EQ(placed.activation_bits(), "input:3");
}

TEST(Overrides, KeepTheKindOfCodes) {
  PlacementOptions options = with({{"conv1", 4, 4}});
  options.weights.symmetry = options.activations->symmetry = quant::Symmetry::kAsymmetric;
  const Placed placed = place(basic_block(), options);
  const quant::NumberFormat expected = quant::IntegerFormat{4, false, false};
  EXPECT_EQ(placed.weight_of("conv1").format, expected);
  EXPECT_EQ(placed.quantizer_behind("stem.relu").format, expected);
}

std::string refusal(const PlacementOptions& options) {
  try {
    place(basic_block(), options);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "placed";
}

TEST(Overrides, RefuseAPatternThatIsNoRegularExpression) {
  EXPECT_EQ(refusal(with({{"conv(", 4, std::nullopt}})),
            "layer_bits 'conv(': is not a regular expression without references to groups");
}

TEST(Overrides, RefuseAPatternThatMatchesNoLayer) {
  // relu1 is no layer.
  EXPECT_EQ(refusal(with({{"relu1", 4, std::nullopt}})),
            "layer_bits 'relu1': matches no quantized layer");
}

TEST(Overrides, RefuseActivationBitsWhereWeightsAloneAreQuantized) {
  PlacementOptions options = with({{"conv1", std::nullopt, 4}});
  options.activations.reset();
  EXPECT_EQ(refusal(options),
            "layer_bits 'conv1': asks for activation bits, but activations are not quantized");
}

TEST(Overrides, RefuseBitsOfMinifloats) {
  PlacementOptions options = with({{"nv1", 4, std::nullopt}});
  options.weights.format = quant::MinifloatFormat{};
  EXPECT_EQ(refusal(options),
            "layer_bits 'nv1': asks for other bits at conv1, but minifloats have those of their "
            "format");
}

}  // namespace
}  // namespace ptq::backends
