#include <gtest/gtest.h>

#include "attention_network.h"
#include "quantized_sites.h"

namespace ptq::backends {
namespace {

using testing::attention;
using testing::basic_block;
using testing::NetworkBuilder;
using testing::Placed;
using testing::Projection;
using ValueId = ir::ValueId;

Placed place_layerwise(const NetworkBuilder& net, const PlacementOptions& options = {}) {
  return testing::place(net, options, Backend::kLayerwise);
}

TEST(Layerwise, QuantizesTheInputsOfLayersAndNothingElse) {
  // Signed even behind a relu; neither the add nor the logits.
  const Placed placed = place_layerwise(basic_block());
  EXPECT_EQ(placed.sites(), "input:s0 stem.relu:s1 relu1:s2 flat:s3");
  for (const char* layer : {"stem", "conv1", "conv2", "fc"}) {
    EXPECT_EQ(placed.weight_of(layer).layer, layer);
    EXPECT_TRUE(placed.has_bias_quantizer(layer));
  }
}

TEST(Layerwise, GivesEachReaderOfAValueItsOwnQuantizer) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.conv("a", net.input(), {});
  const ValueId b = net.conv("b", net.input(), {});
  net.add("add", ir::Add{}, {a, b});
  EXPECT_EQ(place_layerwise(net).sites(), "input:s0 input:s1");
}

TEST(Layerwise, QuantizesAsymmetricInputs) {
  PlacementOptions options;
  options.activations->symmetry = quant::Symmetry::kAsymmetric;
  const Placed placed = place_layerwise(basic_block(), options);
  EXPECT_EQ(placed.sites(), "input:a0 stem.relu:a1 relu1:a2 flat:a3");
  EXPECT_EQ(placed.scale_behind("input").threshold_divisor, 255);
}

TEST(Layerwise, LaysGroupsAlongTheDimensionALayerSumsOver) {
  NetworkBuilder net({4, 6, 6});
  const ValueId x = net.conv("conv", net.input(), {});
  net.linear("fc", x, 5);  // over the width of an image
  PlacementOptions options;
  options.activations->granularity = quant::Granularity::kPerGroup;
  EXPECT_EQ(place_layerwise(net, options).group_axes(), "input:1 conv:-1");
}

TEST(Layerwise, LeavesAConvolutionOverThreeDimensionsFloat) {
  NetworkBuilder net({4, 6, 6});
  ir::Conv conv;
  conv.weight = net.parameter("conv3d.weight", {4, 4, 1, 3, 3});
  conv.stride = {1, 1, 1}, conv.padding = {0, 1, 1}, conv.dilation = {1, 1, 1};
  net.add("conv3d", conv, {net.reshape("volume", net.input(), {4, 1, 6, 6})});
  const Placed placed = place_layerwise(net);
  EXPECT_EQ(placed.sites(), "");
  EXPECT_EQ(placed.layer("conv3d").weight_quantizer, ir::kNoQuantizer);
}

/// Convolutions of 3 and 4 input channels, linear layers of 1000 and 10 outputs.
NetworkBuilder classifier() {
  NetworkBuilder net({3, 4, 4});
  const ValueId first = net.conv("first", net.input(), {});
  const ValueId second = net.conv("second", first, {});
  const ValueId hidden = net.linear("hidden", net.reshape("flat", second, {64}), 10);
  net.linear("last", hidden, 1000);
  return net;
}

TEST(Layerwise, GivesFirstAndLastLayersTheirFormats) {
  PlacementOptions options;
  options.weights.format = options.activations->format = quant::IntegerFormat{4};
  options.first_last = {quant::IntegerFormat{6}, quant::IntegerFormat{7}};
  const Placed placed = place_layerwise(classifier(), options);
  EXPECT_EQ(placed.activation_bits(), "input:7 first:4 flat:4 hidden:7");
  EXPECT_EQ(quant::bit_width(placed.weight_of("first").format), 6);
  EXPECT_EQ(quant::bit_width(placed.weight_of("second").format), 4);
  EXPECT_EQ(quant::bit_width(placed.weight_of("hidden").format), 4);
  EXPECT_EQ(quant::bit_width(placed.weight_of("last").format), 6);
}

TEST(Layerwise, CountsTheChannelsOfGroupedConvolutions) {
  NetworkBuilder net({3, 4, 4});
  net.conv("depthwise", net.input(), {3, 3, 1, 3});
  PlacementOptions options;
  options.first_last.weight = quant::IntegerFormat{6};
  EXPECT_EQ(quant::bit_width(place_layerwise(net, options).weight_of("depthwise").format), 6);
}

TEST(Layerwise, KeepsFirstAndLastFormatsUnsignedWhereAsymmetric) {
  PlacementOptions options;
  options.weights.symmetry = options.activations->symmetry = quant::Symmetry::kAsymmetric;
  options.first_last = {quant::IntegerFormat{6}, quant::IntegerFormat{6}};
  const Placed placed = place_layerwise(classifier(), options);
  const quant::NumberFormat expected = quant::IntegerFormat{6, false, false};
  EXPECT_EQ(placed.weight_of("first").format, expected);
  EXPECT_EQ(placed.quantizer_behind("input").format, expected);
}

TEST(Layerwise, QuantizesTheOperandsWithinAMultiheadModule) {
  NetworkBuilder net({5, 8});
  net.linear("head", attention(net, net.input(), Projection::kPacked), 3);
  // Inputs of both projections and of the head, and the operands of both products.
  EXPECT_EQ(place_layerwise(net).sites(),
            "input:s0 attn.scale:s1 attn.k_t:s2 attn.softmax:u3 attn.v:s4 attn.context:s5 "
            "attn.view:s6");
}

TEST(Layerwise, QuantizesAttentionWeightsSignedOnRequest) {
  NetworkBuilder net({5, 8});
  attention(net, net.input(), Projection::kPacked);
  PlacementOptions options;
  options.activations->unsigned_values = false;
  EXPECT_EQ(place_layerwise(net, options).sites(),
            "input:s0 attn.scale:s1 attn.k_t:s2 attn.softmax:s3 attn.v:s4 attn.context:s5");
}

TEST(Layerwise, KeepsTheOperandsOfAMultiheadModuleSymmetric) {
  NetworkBuilder net({5, 8});
  attention(net, net.input(), Projection::kPacked);
  PlacementOptions options;
  options.activations->symmetry = quant::Symmetry::kAsymmetric;
  EXPECT_EQ(place_layerwise(net, options).sites(),
            "input:a0 attn.scale:s1 attn.k_t:s2 attn.softmax:u3 attn.v:s4 attn.context:a5");
}

TEST(Layerwise, LeavesTheProductsOfAnAttentionOfTheModelsOwnFloat) {
  NetworkBuilder net({5, 8});
  net.linear("head", attention(net, net.input(), Projection::kLayer), 3);
  EXPECT_EQ(place_layerwise(net).sites(), "input:s0 attn.context:s1 attn.view:s2");
}

}  // namespace
}  // namespace ptq::backends
