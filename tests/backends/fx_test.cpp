#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "quantized_sites.h"

namespace ptq::backends {
namespace {

using testing::basic_block;
using testing::kConv;
using testing::NetworkBuilder;
using testing::place;
using testing::Placed;
using ValueId = ir::ValueId;

TEST(Fx, QuantizesInputActivationAndLogits) {
  NetworkBuilder net({4, 6, 6});
  ValueId x = net.add("relu", ir::Relu{}, {net.conv("conv", net.input(), kConv)});
  x = net.add("pool", ir::AdaptiveAvgPool{{1, 1}}, {x});
  net.linear("fc", net.reshape("flat", x, {4}), 5);
  // The pool's output is requantized, signed, on its way into the linear layer.
  EXPECT_EQ(place(net).sites(), "input:s0 relu:u1 flat:s2 fc:s3");
}

TEST(Fx, LooksThroughMaxPoolAndReshape) {
  NetworkBuilder net({4, 6, 6});
  ValueId x = net.add("relu", ir::Relu{}, {net.conv("conv", net.input(), kConv)});
  x = net.add("pool", ir::MaxPool{{2, 2}, {2, 2}, {0, 0}, {1, 1}, false}, {x});
  net.linear("fc", net.reshape("flat", x, {36}), 5);
  EXPECT_EQ(place(net).sites(), "input:s0 relu:u1 fc:s2");
}

TEST(Fx, LooksThroughZerosAround) {
  NetworkBuilder net({4, 6, 6});
  const ir::Dims below_and_right{{0, false}, {1, false}, {0, false}, {1, false}};
  ValueId x = net.add("relu6", ir::Relu6{}, {net.conv("first", net.input(), kConv)});
  x = net.add("pad",
              ir::Opaque{"aten::constant_pad_nd", "", {ir::InputRef{0}, below_and_right, 0.0}, 0},
              {x});
  net.conv("second", x, kConv);
  // Zero is a code of the clamp's quantizer: the convolution reads its codes.
  EXPECT_EQ(place(net).sites(), "input:s0 relu6:u1 second:s2");
}

TEST(Fx, RequantizesALinearBottleneck) {
  NetworkBuilder net({4, 6, 6});
  net.conv("second", net.conv("first", net.input(), kConv), kConv);
  EXPECT_EQ(place(net).sites(), "input:s0 first:s1 second:s2");
}

TEST(Fx, SharesTheScaleOfAResidualAdd) {
  // The convolution's identity and the skip's relu share one scale, each keeps its sign; the add
  // needs no quantizer of its own, its relu has one.
  EXPECT_EQ(place(basic_block()).sites(), "input:s0 stem.relu:u1 relu1:u2 conv2:s1 relu2:u3 fc:s4");
}

TEST(Fx, GivesAnUnsignedOperandOfASignedAddTheSignedDivisor) {
  const Placed placed = place(basic_block());
  EXPECT_EQ(placed.scale_behind("stem.relu").threshold_divisor, 128);
  EXPECT_EQ(placed.scale_behind("relu1").threshold_divisor, 255);
}

TEST(Fx, KeepsAnAddOfTwoRelusUnsigned) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.add("a", ir::Relu{}, {net.conv("conv_a", net.input(), kConv)});
  const ValueId b = net.add("b", ir::Relu{}, {net.conv("conv_b", net.input(), kConv)});
  net.conv("last", net.add("add", ir::Add{}, {a, b}), kConv);
  const Placed placed = place(net);
  EXPECT_EQ(placed.sites(), "input:s0 a:u1 b:u1 add:u2 last:s3");
  EXPECT_EQ(placed.scale_behind("a").threshold_divisor, 255);
}

TEST(Fx, ChainsResidualAddsThroughTheirOutputs) {
  NetworkBuilder net({4, 6, 6});
  const ValueId first = net.conv("first", net.input(), kConv);
  const ValueId add = net.add("add", ir::Add{}, {net.conv("second", first, kConv), first});
  const ValueId next = net.add("add_1", ir::Add{}, {net.conv("third", add, kConv), add});
  net.conv("last", next, kConv);
  EXPECT_EQ(place(net).sites(), "input:s0 first:s1 second:s1 add:s2 third:s2 add_1:s3 last:s4");
}

TEST(Fx, TakesTheTrueSignAtAnAddOfAdds) {
  // The reference takes both requantized sums for unsigned and clips their negative values.
  NetworkBuilder net({4, 6, 6});
  const auto conv = [&](const std::string& name) { return net.conv(name, net.input(), kConv); };
  const ValueId left = net.add("left", ir::Add{}, {conv("a"), conv("b")});
  const ValueId right = net.add("right", ir::Add{}, {conv("c"), conv("d")});
  net.conv("last", net.add("outer", ir::Add{}, {left, right}), kConv);
  EXPECT_EQ(place(net).sites(), "input:s0 a:s1 b:s1 left:s2 c:s3 d:s3 right:s2 outer:s4 last:s5");
}

TEST(Fx, TakesTheTrueSignWhereANumberIsTakenOff) {
  for (const double shift : {-0.1, 0.1}) {
    NetworkBuilder net({4, 6, 6});
    const ValueId x = net.add("relu", ir::Relu{}, {net.conv("conv", net.input(), kConv)});
    net.conv("last", net.add("shifted", ir::AddScalar{shift}, {x}), kConv);
    const std::string sign = shift < 0 ? "s" : "u";
    EXPECT_EQ(place(net).sites(), "input:s0 relu:u1 shifted:" + sign + "2 last:s3");
  }
}

TEST(Fx, SharesTheWholeQuantizerOfAConcat) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.add("a", ir::Relu{}, {net.conv("conv_a", net.input(), kConv)});
  const ValueId b = net.add("b", ir::Relu{}, {net.conv("conv_b", net.input(), kConv)});
  net.conv("last", net.add("cat", ir::Concat{1}, {a, b}), kConv);
  EXPECT_EQ(place(net).sites(), "input:s0 a:u1 b:u1 last:s2");
}

TEST(Fx, QuantizesAReluSignedNextToAConvolutionInAConcat) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.add("a", ir::Relu{}, {net.conv("conv_a", net.input(), kConv)});
  const ValueId b = net.conv("b", net.input(), kConv);
  net.conv("last", net.add("cat", ir::Concat{1}, {a, b}), kConv);
  EXPECT_EQ(place(net).sites(), "input:s0 a:s1 b:s1 last:s2");
}

TEST(Fx, UnitesConcatsOfConcats) {
  NetworkBuilder net({4, 6, 6});
  const ValueId a = net.add("a", ir::Relu{}, {net.conv("conv_a", net.input(), kConv)});
  const ValueId b = net.add("b", ir::Relu{}, {net.conv("conv_b", net.input(), kConv)});
  const ValueId first = net.add("first", ir::Concat{1}, {a, b});
  const ValueId c = net.add("c", ir::Relu{}, {net.conv("conv_c", first, kConv)});
  net.conv("last", net.add("second", ir::Concat{1}, {first, c}), kConv);
  EXPECT_EQ(place(net).sites(), "input:s0 a:u1 b:u1 c:u1 last:s2");
}

TEST(Fx, GivesLayersBehindUnquantizedOperationsAnInputQuantizer) {
  NetworkBuilder net({4, 6, 6});
  const ValueId x = net.add("silu", ir::Silu{}, {net.conv("conv", net.input(), kConv)});
  net.conv("last", x, kConv);
  EXPECT_EQ(place(net).sites(), "input:s0 conv:s1 silu:s2 last:s3");
}

TEST(Fx, QuantizesAConstantOperandOfAnAdd) {
  NetworkBuilder net({5, 8});
  const ValueId x = net.linear("embed", net.input(), 8);
  const ValueId position = net.add("position", ir::Constant{{"position", at::ones({1, 5, 8})}}, {});
  net.linear("last", net.add("add", ir::Add{}, {x, position}), 3);
  EXPECT_EQ(place(net).sites(), "input:s0 embed:s1 position:s1 add:s2 last:s3");
}

TEST(Fx, MakesEverythingSignedOnRequest) {
  PlacementOptions options;
  options.activations->unsigned_values = false;
  EXPECT_EQ(place(basic_block(), options).sites(),
            "input:s0 stem.relu:s1 relu1:s2 conv2:s1 relu2:s3 fc:s4");
}

TEST(Fx, LeavesAConvolutionOverThreeDimensionsFloat) {
  NetworkBuilder net({4, 6, 6});
  const ValueId volume = net.reshape("volume", net.input(), {4, 1, 6, 6});
  ir::Conv conv;
  conv.weight = net.parameter("conv3d.weight", {4, 4, 1, 3, 3});
  conv.stride = {1, 1, 1}, conv.padding = {0, 1, 1}, conv.dilation = {1, 1, 1};
  const ValueId x = net.reshape("flat", net.add("conv3d", conv, {volume}), {144});
  net.linear("fc", x, 5);
  const Placed placed = place(net);
  // The image as always, and the linear layer's input and output.
  EXPECT_EQ(placed.sites(), "input:s0 flat:s1 fc:s2");
  EXPECT_EQ(placed.layer("conv3d").weight_quantizer, ir::kNoQuantizer);
}

TEST(Fx, LooksThroughABatchNormThatWasNotMerged) {
  NetworkBuilder net({4, 6, 6});
  const ValueId norm = net.batch_norm("norm", net.conv("conv", net.input(), kConv));
  net.conv("last", net.add("relu", ir::Relu{}, {norm}), kConv);
  EXPECT_EQ(place(net).sites(), "input:s0 relu:u1 last:s2");
}

}  // namespace
}  // namespace ptq::backends
