#include <gtest/gtest.h>

#include "quantized_sites.h"

/// The fx rules with activations other than symmetric integers of one static scale.
namespace ptq::backends {
namespace {

using testing::basic_block;
using testing::kConv;
using testing::NetworkBuilder;
using testing::place;
using testing::Placed;
using ValueId = ir::ValueId;

/// Two relus into a concat into a convolution.
NetworkBuilder concat_of_relus() {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.add("a", ir::Relu{}, {net.conv("conv_a", net.input(), kConv)});
  const ValueId b = net.add("b", ir::Relu{}, {net.conv("conv_b", net.input(), kConv)});
  net.conv("last", net.add("cat", ir::Concat{1}, {a, b}), kConv);
  return net;
}

PlacementOptions asymmetric() {
  PlacementOptions options;
  options.activations->symmetry = quant::Symmetry::kAsymmetric;
  return options;
}

PlacementOptions dynamic() {
  PlacementOptions options;
  options.activations->timing = quant::Timing::kDynamic;
  return options;
}

PlacementOptions grouped() {
  PlacementOptions options = dynamic();
  options.activations->granularity = quant::Granularity::kPerGroup;
  options.activations->scale_type = quant::ScaleType::kPowerOfTwo;
  return options;
}

TEST(Fx, HandsItsOptionsToEveryActivationQuantizer) {
  PlacementOptions options = grouped();
  options.activations->calibration = quant::Calibration::kMse;
  options.group_size = 16;
  const Placed placed = place(basic_block(), options);
  for (const char* producer : {"input", "stem.relu", "conv2", "fc"}) {
    const quant::Quantizer& quantizer = placed.quantizer_behind(producer);
    EXPECT_EQ(quantizer.kind, quant::QuantizerKind::kActivation);
    EXPECT_EQ(quantizer.granularity, quant::Granularity::kPerGroup);
    EXPECT_EQ(quantizer.group_size, 16);
    EXPECT_EQ(quantizer.scale_type, quant::ScaleType::kPowerOfTwo);
    EXPECT_EQ(quantizer.calibration, quant::Calibration::kMse);
    EXPECT_EQ(quantizer.timing, quant::Timing::kDynamic);
  }
}

TEST(Fx, KeepsTheZeroPointOfAReluInAnAdd) {
  const Placed placed = place(basic_block(), asymmetric());
  EXPECT_EQ(placed.sites(), "input:a0 stem.relu:a1 relu1:a2 conv2:a1 relu2:a3 fc:a4");
  // One scale for stem.relu and conv2, but a quantizer each.
  EXPECT_EQ(placed.whole_sites(), "input:a0 stem.relu:a1 relu1:a2 conv2:a3 relu2:a4 fc:a5");
  EXPECT_EQ(placed.quantizer_behind("stem.relu").format,
            quant::NumberFormat(quant::IntegerFormat{8, false, false}));
  EXPECT_EQ(placed.scale_behind("stem.relu").threshold_divisor, 255);
}

TEST(Fx, SharesTheZeroPointOfIdentitiesInAnAdd) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.conv("a", net.input(), kConv);
  const ValueId b = net.conv("b", net.input(), kConv);
  net.conv("last", net.add("add", ir::Add{}, {a, b}), kConv);
  EXPECT_EQ(place(net, asymmetric()).whole_sites(), "input:a0 a:a1 b:a1 add:a2 last:a3");
}

TEST(Fx, SharesTheZeroPointsOfAConcat) {
  EXPECT_EQ(place(concat_of_relus(), asymmetric()).whole_sites(), "input:a0 a:a1 b:a1 last:a2");
}

TEST(Fx, KeepsAsymmetricCodesUnsignedOnRequestOfSignedOnes) {
  PlacementOptions options = asymmetric();
  options.activations->unsigned_values = false;
  EXPECT_EQ(place(concat_of_relus(), options).sites(), "input:a0 a:a1 b:a1 last:a2");
}

TEST(Fx, SharesPowerOfTwoDivisors) {
  PlacementOptions options;
  options.activations->scale_type = quant::ScaleType::kPowerOfTwo;
  const Placed placed = place(basic_block(), options);
  EXPECT_EQ(placed.scale_behind("stem.relu").threshold_divisor, 128);  // that of a signed operand
  EXPECT_EQ(placed.scale_behind("relu1").threshold_divisor, 256);
}

TEST(Fx, HasNoUnsignedMinifloats) {
  PlacementOptions options;
  const quant::MinifloatFormat e4m3{4, 3, quant::MinifloatFormat::Codes::kAllFinite};
  options.activations->format = e4m3;
  const Placed placed = place(basic_block(), options);
  EXPECT_EQ(placed.sites(), "input:s0 stem.relu:s1 relu1:s2 conv2:s1 relu2:s3 fc:s4");
  EXPECT_EQ(placed.quantizer_behind("relu1").format, quant::NumberFormat(e4m3));
  EXPECT_EQ(placed.scale_behind("stem.relu").threshold_divisor, 480);
}

TEST(Fx, SharesNoDynamicScaleAtAnAdd) {
  // As with static scales, but conv2 does not join stem.relu.
  EXPECT_EQ(place(basic_block(), dynamic()).sites(),
            "input:s0 stem.relu:u1 relu1:u2 conv2:s3 relu2:u4 fc:s5");
}

TEST(Fx, TakesTheSignOfEachOperandOfADynamicAdd) {
  NetworkBuilder net({4, 6, 6});
  const ValueId relu = net.add("relu", ir::Relu{}, {net.conv("a", net.input(), kConv)});
  const ir::AvgPool same_size{{1, 1}, {1, 1}, {0, 0}, false, true, std::nullopt};
  const ValueId pool = net.add("pool", same_size, {relu});
  const ValueId b = net.conv("b", net.input(), kConv);
  net.conv("last", net.add("add", ir::Add{}, {pool, b}), kConv);
  // The pool of a relu stays unsigned beside a convolution; with a static scale it would not.
  EXPECT_EQ(place(net, dynamic()).sites(), "input:s0 relu:u1 pool:u2 b:s3 add:s4 last:s5");
}

TEST(Fx, RequantizesAConcatOfDynamicScalesForALayer) {
  // A convolution multiplies with one scale.
  EXPECT_EQ(place(concat_of_relus(), dynamic()).sites(), "input:s0 a:u1 b:u2 cat:s3 last:s4");
}

TEST(Fx, ReadsAConcatOfGroupsAsItIs) {
  EXPECT_EQ(place(concat_of_relus(), grouped()).sites(), "input:s0 a:u1 b:u2 last:s3");
}

TEST(Fx, QuantizesEveryOperandOfAConcatOfGroups) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.add("a", ir::Relu{}, {net.conv("conv_a", net.input(), kConv)});
  const ValueId b = net.conv("b", net.input(), kConv);
  net.conv("last", net.add("cat", ir::Concat{1}, {a, b}), kConv);
  EXPECT_EQ(place(net, grouped()).sites(), "input:s0 a:u1 b:s2 last:s3");
}

TEST(Fx, LaysGroupsAlongChannels) {
  NetworkBuilder net({4, 6, 6});
  ValueId x = net.add("relu", ir::Relu{}, {net.conv("conv", net.input(), kConv)});
  x = net.add("pool", ir::AdaptiveAvgPool{{1, 1}}, {x});
  net.linear("fc", net.reshape("flat", x, {4}), 5);
  // Images in dimension 1, the features of a linear layer in the last.
  EXPECT_EQ(place(net, grouped()).group_axes(), "input:1 relu:1 flat:-1 fc:-1");
}

TEST(Fx, LaysGroupsAlongTheLastDimensionBetweenLinearLayers) {
  // Channels-last images, as in transformers that are built of stages.
  NetworkBuilder net({6, 6, 8});
  const ValueId x = net.linear("expand", net.layer_norm("norm", net.input()), 16);
  net.linear("reduce", net.add("gelu", ir::Gelu{}, {x}), 8);
  EXPECT_EQ(place(net, grouped()).group_axes(), "input:-1 norm:-1 expand:-1 gelu:-1 reduce:-1");
}

}  // namespace
}  // namespace ptq::backends
