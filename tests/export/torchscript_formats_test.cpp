#include <gtest/gtest.h>

#include "backends/attention_network.h"
#include "export/exported_network.h"
#include "export/torchscript_network.h"
#include "support/network_builder.h"

namespace ptq::exporting {
namespace {

using ptq::testing::GraphBuilder;
using testing::Setting;

/// Every quantized kind of layer, a residual add, a concat, pools and a classifier.
ir::Graph convolutional() {
  GraphBuilder b;
  const auto first = b.add(ir::Relu{}, {b.batch_norm(b.conv(b.input(), 8))});
  const auto sum = b.add(ir::Add{}, {b.conv(first, 8), first});
  ir::ConvTranspose up;
  up.stride = {2, 2}, up.padding = {1, 1}, up.output_padding = {1, 1}, up.dilation = {1, 1};
  up.weight = b.weight({8, 6, 3, 3});
  up.bias = b.weight({6});
  const auto larger = b.add(up, {sum}, "up");
  const auto pooled = b.add(ir::MaxPool{{2, 2}, {2, 2}, {0, 0}, {1, 1}, false}, {larger});
  const auto depthwise = b.conv(b.add(ir::Sigmoid{}, {pooled}), 6, {3, 1, 1, 6, 1, false});
  const auto both = b.add(ir::Concat{1}, {depthwise, b.add(ir::Relu6{}, {sum})});
  const auto mean = b.add(ir::AdaptiveAvgPool{{1, 1}}, {b.add(ir::Hardswish{}, {both})});
  return b.finish(b.linear(b.flatten(mean), 10));
}

ir::Graph attention() {
  ptq::testing::NetworkBuilder net({5, 8});
  net.reshape("flatten", backends::testing::attention(net, net.input()), {40});
  return net.graph();
}

quant::IntegerFormat integers(int bits, bool narrow = false) { return {bits, true, narrow}; }

/// fx with some options changed.
template <class Change>
Setting with(const std::string& name, Change&& change) {
  Setting setting;
  setting.name = name;
  change(setting.placement);
  return setting;
}

Setting layerwise() {
  Setting setting{"layerwise"};
  setting.backend = backends::Backend::kLayerwise;
  return setting;
}

Setting flexml() {
  Setting setting{"flexml"};
  setting.backend = backends::Backend::kFlexml;
  setting.preparation.preparation = passes::Preparation::kFlexml;
  return setting;
}

std::vector<Setting> settings() {
  using Options = backends::PlacementOptions;
  const auto asymmetric = quant::Symmetry::kAsymmetric;
  const auto per_channel = quant::Granularity::kPerChannel;
  const auto powers_of_two = quant::ScaleType::kPowerOfTwo;
  return {
      Setting{},
      layerwise(),
      flexml(),
      with("asymmetric_activations", [=](Options& o) { o.activations->symmetry = asymmetric; }),
      with("asymmetric_weights", [=](Options& o) { o.weights.symmetry = asymmetric; }),
      with("per_channel", [=](Options& o) { o.weights.granularity = per_channel; }),
      with("per_channel_asymmetric",
           [=](Options& o) {
             o.weights.granularity = per_channel;
             o.weights.symmetry = o.activations->symmetry = asymmetric;
           }),
      with("w4a8", [](Options& o) { o.weights.format = integers(4); }),
      with("w3a5",
           [](Options& o) { o.weights.format = integers(3), o.activations->format = integers(5); }),
      with("w16a16",
           [](Options& o) {
             o.weights.format = integers(16), o.activations->format = integers(16);
           }),
      with("narrow_range", [](Options& o) { o.weights.format = integers(8, true); }),
      with("power_of_two",
           [=](Options& o) { o.weights.scale_type = o.activations->scale_type = powers_of_two; }),
      with("half_quadratic_asymmetric",
           [=](Options& o) {
             o.weights.symmetry = asymmetric;
             o.weights.calibration = quant::Calibration::kHqo;
           }),
      with("float_biases", [](Options& o) { o.bias_bit_width.reset(); }),
      with("bias_of_16_bits", [](Options& o) { o.bias_bit_width = 16; }),
      with("weights_alone", [](Options& o) { o.activations.reset(), o.bias_bit_width.reset(); }),
  };
}

class TorchScriptFormat : public ::testing::TestWithParam<Setting> {};

void expect_same_as_interpreter(const ir::Graph& graph, const Setting& setting) {
  testing::expect_same(testing::quantized(graph, setting));
}

TEST_P(TorchScriptFormat, OfConvolutionsIsTheInterpreters) {
  expect_same_as_interpreter(convolutional(), GetParam());
}

TEST_P(TorchScriptFormat, OfAttentionIsTheInterpreters) {
  expect_same_as_interpreter(attention(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Cases, TorchScriptFormat, ::testing::ValuesIn(settings()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ptq::exporting
