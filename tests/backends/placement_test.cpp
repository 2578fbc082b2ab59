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

TEST(Placement, GivesEveryLayerAWeightAndABiasQuantizer) {
  NetworkBuilder net({4, 6, 6});
  net.conv("conv", net.input(), {});
  PlacementOptions options;
  options.weight_bit_width = 4;
  options.weight_granularity = quant::Granularity::kPerChannel;
  options.bias_bit_width = 16;
  const Placed placed = place(net, options);
  for (const ir::Node& node : placed.graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) continue;
    const quant::Quantizer& weight = placed.table.at(layer->weight_quantizer);
    EXPECT_EQ(weight.format, (quant::IntegerFormat{4, true, false}));
    EXPECT_EQ(weight.granularity, quant::Granularity::kPerChannel);
    EXPECT_EQ(weight.layer, "conv");
    EXPECT_EQ(placed.table.at(layer->bias_quantizer).format.bit_width, 16);
  }
}

TEST(Placement, LeavesBiasesFloatOnRequest) {
  NetworkBuilder net({4, 6, 6});
  net.conv("conv", net.input(), {});
  PlacementOptions options;
  options.bias_bit_width = std::nullopt;
  for (const ir::Node& node : place(net, options).graph.nodes) {
    if (const ir::Weighted* layer = ir::weighted(node.op)) {
      EXPECT_EQ(layer->bias_quantizer, ir::kNoQuantizer);
    }
  }
}

TEST(Placement, RefusesAGroupedTransposedConvolutionPerChannel) {
  NetworkBuilder net({4, 6, 6});
  ir::ConvTranspose up;
  up.weight = {"up.weight", at::ones({4, 2, 2, 2})};
  up.stride = {2, 2}, up.padding = {0, 0}, up.output_padding = {0, 0}, up.dilation = {1, 1};
  up.groups = 2;
  net.add("up", up, {net.input()});
  PlacementOptions options;
  options.weight_granularity = quant::Granularity::kPerChannel;
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
