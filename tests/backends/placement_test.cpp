#include "ptq/backends/placement.h"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "ptq/base/error.h"
#include "quantized_sites.h"

namespace ptq::backends {
namespace {

using testing::NetworkBuilder;
using testing::place;
using testing::Placed;

NetworkBuilder one_conv() {
  NetworkBuilder net({4, 6, 6});
  net.conv("conv", net.input(), {});
  return net;
}

/// [N, 4, H, W] -> [N, 4, 2H, 2W].
ir::ValueId transposed(NetworkBuilder& net, ir::ValueId input, int64_t groups) {
  ir::ConvTranspose up;
  up.weight = {"up.weight", at::ones({4, 4 / groups, 2, 2})};
  up.stride = {2, 2}, up.padding = {0, 0}, up.output_padding = {0, 0}, up.dilation = {1, 1};
  up.groups = groups;
  return net.add("up", up, {input});
}

TEST(Placement, GivesEveryLayerAWeightAndABiasQuantizer) {
  PlacementOptions options;
  options.weights.format = quant::IntegerFormat{4, true, true};
  options.weights.granularity = quant::Granularity::kPerChannel;
  options.weights.calibration = quant::Calibration::kMse;
  options.weights.scale_type = quant::ScaleType::kPowerOfTwo;
  options.bias_bit_width = 16;
  const Placed placed = place(one_conv(), options);
  const quant::Quantizer& weight = placed.weight_of("conv");
  EXPECT_EQ(weight.format, quant::NumberFormat(quant::IntegerFormat{4, true, true}));
  EXPECT_EQ(weight.granularity, quant::Granularity::kPerChannel);
  EXPECT_EQ(weight.calibration, quant::Calibration::kMse);
  EXPECT_EQ(weight.scale_type, quant::ScaleType::kPowerOfTwo);
  EXPECT_EQ(weight.axis, 0);
  EXPECT_EQ(weight.layer, "conv");
  const quant::Quantizer& bias = placed.table.at(placed.layer("conv").bias_quantizer);
  EXPECT_EQ(bias.format, quant::NumberFormat(quant::IntegerFormat{16, true, false}));
}

TEST(Placement, GivesAsymmetricWeightsUnsignedCodes) {
  PlacementOptions options;
  options.weights.symmetry = quant::Symmetry::kAsymmetric;
  const Placed placed = place(one_conv(), options);
  const quant::Quantizer& weight = placed.weight_of("conv");
  EXPECT_EQ(weight.symmetry, quant::Symmetry::kAsymmetric);
  EXPECT_EQ(weight.format, quant::NumberFormat(quant::IntegerFormat{8, false, false}));
  EXPECT_EQ(placed.table.scale_of(placed.layer("conv").weight_quantizer).threshold_divisor, 255);
}

TEST(Placement, LaysGroupsOfWeightsAlongInputChannels) {
  NetworkBuilder net({4, 6, 6});
  const ir::ValueId x = transposed(net, net.conv("conv", net.input(), {}), 1);
  net.linear("fc", net.reshape("flat", x, {576}), 5);
  PlacementOptions options;
  options.weights.granularity = quant::Granularity::kPerGroup;
  options.group_size = 16;
  const Placed placed = place(net, options);
  EXPECT_EQ(placed.weight_of("conv").axis, 1);  // [out, in, h, w]
  EXPECT_EQ(placed.weight_of("up").axis, 0);    // [in, out, h, w]
  EXPECT_EQ(placed.weight_of("fc").axis, 1);    // [out, in]
  EXPECT_EQ(placed.weight_of("fc").group_size, 16);
}

TEST(Placement, LeavesBiasesFloatOnRequest) {
  PlacementOptions options;
  options.bias_bit_width = std::nullopt;
  EXPECT_FALSE(place(one_conv(), options).has_bias_quantizer("conv"));
}

/// The scale of a bias is that of its input times that of its weight, so both must be known before
/// the run, of integers, and one for a whole output channel.
TEST(Placement, QuantizesBiasesOnlyWhereTheyHaveAScale) {
  const auto has_bias = [](const auto& change) {
    PlacementOptions options;
    change(options);
    return place(one_conv(), options).has_bias_quantizer("conv");
  };
  EXPECT_TRUE(has_bias([](PlacementOptions&) {}));
  EXPECT_TRUE(has_bias([](PlacementOptions& options) {
    options.weights.granularity = quant::Granularity::kPerChannel;
    options.activations->symmetry = quant::Symmetry::kAsymmetric;
  }));
  EXPECT_FALSE(has_bias([](PlacementOptions& options) { options.activations.reset(); }));
  EXPECT_FALSE(has_bias(
      [](PlacementOptions& options) { options.activations->timing = quant::Timing::kDynamic; }));
  EXPECT_FALSE(has_bias([](PlacementOptions& options) {
    options.activations->granularity = quant::Granularity::kPerGroup;
  }));
  EXPECT_FALSE(has_bias(
      [](PlacementOptions& options) { options.activations->format = quant::MinifloatFormat{}; }));
  EXPECT_FALSE(has_bias([](PlacementOptions& options) {
    options.weights.granularity = quant::Granularity::kPerGroup;
  }));
  EXPECT_FALSE(has_bias(
      [](PlacementOptions& options) { options.weights.format = quant::MinifloatFormat{}; }));
}

TEST(Placement, QuantizesWeightsAloneOnRequest) {
  PlacementOptions options;
  options.activations.reset();
  for (const Backend backend : {Backend::kFx, Backend::kLayerwise, Backend::kFlexml}) {
    const Placed placed = place(testing::basic_block(), options, backend);
    EXPECT_EQ(placed.sites(), "");
    EXPECT_EQ(placed.weight_of("conv2").kind, quant::QuantizerKind::kWeight);
  }
}

TEST(Placement, PlacesForFlexmlAsForFx) {
  const Placed fx = place(testing::basic_block());
  const Placed flexml = place(testing::basic_block(), {}, Backend::kFlexml);
  EXPECT_EQ(ir::to_text(flexml.graph), ir::to_text(fx.graph));
}

TEST(Placement, QuantizesALayerThatIsCalledTwice) {
  NetworkBuilder net({4, 6, 6});
  const ir::ValueId first = net.conv("conv", net.input(), {});
  const ir::Op again = net.graph().nodes.back().op;
  net.add("conv_1", again, {first});
  for (const Backend backend : {Backend::kFx, Backend::kLayerwise}) {
    const Placed placed = place(net, {}, backend);
    EXPECT_EQ(placed.weight_of("conv").layer, "conv");
    EXPECT_EQ(placed.weight_of("conv_1").layer, "conv_1");
  }
}

TEST(Placement, RefusesAGroupedTransposedConvolutionPerChannel) {
  NetworkBuilder net({4, 6, 6});
  transposed(net, net.input(), 2);
  PlacementOptions options;
  options.weights.granularity = quant::Granularity::kPerChannel;
  try {
    place(net, options);
    FAIL() << "placed";
  } catch (const QuantizationError& error) {
    EXPECT_EQ(std::string(error.what()),
              "up: a grouped transposed convolution cannot be quantized per channel");
  }
}

}  // namespace
}  // namespace ptq::backends
