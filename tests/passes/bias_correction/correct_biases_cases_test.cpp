#include <gtest/gtest.h>

#include <tuple>

#include "backends/attention_network.h"
#include "direct_correction.h"
#include "ptq/backends/placement.h"
#include "support/batches.h"

// Layers of every kind, placed by both backends, against the two runs that define the correction.
namespace ptq::passes {
namespace {

using backends::Backend;
using ptq::testing::batches_of;
using ptq::testing::NetworkBuilder;
using testing::DirectCorrection;

struct ConvCase {
  int64_t in = 4, out = 8, kernel = 3, stride = 1, padding = 1, dilation = 1, groups = 1;
  int64_t output_padding = 0;
};

ir::Graph convolution(const ConvCase& c) {
  NetworkBuilder net({c.in, 11, 9});
  ir::Conv conv;
  conv.weight = net.parameter("conv.weight", {c.out, c.in / c.groups, c.kernel, c.kernel});
  conv.bias = net.parameter("conv.bias", {c.out});
  conv.stride = {c.stride, c.stride};
  conv.padding = {c.padding, c.padding};
  conv.dilation = {c.dilation, c.dilation};
  conv.groups = c.groups;
  net.add("conv", conv, {net.input()});
  net.add("pool", ir::Mean{{2, 3}, false}, {net.graph().output});
  return net.graph();
}

ir::Graph transposed(const ConvCase& c) {
  NetworkBuilder net({c.in, 5, 6});
  ir::ConvTranspose conv;
  conv.weight = net.parameter("conv.weight", {c.in, c.out / c.groups, c.kernel, c.kernel});
  conv.bias = net.parameter("conv.bias", {c.out});
  conv.stride = {c.stride, c.stride};
  conv.padding = {c.padding, c.padding};
  conv.output_padding = {c.output_padding, c.output_padding};
  conv.dilation = {c.dilation, c.dilation};
  conv.groups = c.groups;
  net.add("conv", conv, {net.input()});
  net.add("pool", ir::Mean{{2, 3}, false}, {net.graph().output});
  return net.graph();
}

ir::Graph one_dimensional() {
  NetworkBuilder net({4, 13});
  ir::Conv conv;
  conv.weight = net.parameter("conv.weight", {6, 4, 3});
  conv.stride = {2};
  conv.padding = {1};
  conv.dilation = {2};
  net.add("conv", conv, {net.input()});
  net.add("pool", ir::Mean{{2}, false}, {net.graph().output});
  return net.graph();
}

/// A linear over the last of `image.size() + 1` dimensions.
ir::Graph linear(const std::vector<int64_t>& image) {
  NetworkBuilder net(image);
  ir::ValueId x = net.linear("fc", net.input(), 5);
  if (image.size() > 1) x = net.add("mean", ir::Mean{{1}, false}, {x});
  if (image.size() > 2) net.add("mean2", ir::Mean{{1}, false}, {x});
  return net.graph();
}

ir::Graph attention_network() {
  NetworkBuilder net({5, 8});
  const ir::ValueId x =
      backends::testing::attention(net, net.input(), backends::testing::Projection::kPacked);
  net.linear("head", net.add("mean", ir::Mean{{1}, false}, {x}), 3);
  return net.graph();
}

struct Case {
  std::string name;
  ir::Graph graph;
};

std::vector<Case> cases() {
  return {{"Plain", convolution({})},
          {"NoPadding", convolution({4, 8, 3, 1, 0})},
          {"WidePadding", convolution({4, 8, 3, 1, 3})},
          {"Pointwise", convolution({4, 8, 1, 1, 0})},
          {"PointwiseStrided", convolution({4, 8, 1, 2, 0})},
          {"Strided", convolution({4, 8, 5, 2, 2})},
          {"Patches", convolution({4, 8, 4, 4, 0})},
          {"Dilated", convolution({4, 8, 3, 2, 2, 2})},
          {"Grouped", convolution({8, 12, 3, 1, 1, 1, 4})},
          {"Depthwise", convolution({8, 8, 3, 2, 1, 1, 8})},
          {"DepthwiseMultiplied", convolution({4, 8, 5, 1, 2, 1, 4})},
          {"OneDimensional", one_dimensional()},
          {"Transposed", transposed({4, 6, 3, 1, 0})},
          {"TransposedStrided", transposed({4, 6, 3, 2, 1, 1, 1, 1})},
          {"TransposedDilated", transposed({4, 6, 3, 2, 2, 2})},
          {"TransposedGrouped", transposed({4, 6, 3, 2, 1, 1, 2})},
          {"Linear", linear({7})},
          {"LinearOverTokens", linear({4, 7})},
          {"LinearOverWindows", linear({2, 3, 7})},
          {"Attention", attention_network()}};
}

/// In fx the quantizer before an output projection is its own.
bool is_own(Backend backend, const ir::Node& layer) {
  return backend == Backend::kLayerwise || layer.name == "attn.out_proj";
}

QuantizedNetwork place(Backend backend, const ir::Graph& graph) {
  backends::PlacementOptions options;
  options.weights.format = quant::IntegerFormat{3};
  options.activations->format = quant::IntegerFormat{4};
  return backends::place(backend, graph, options);
}

std::vector<at::Tensor> images_for(const ir::Graph& graph) {
  const ir::Dims& shape = graph.values[static_cast<size_t>(graph.input)].shape;
  return {ptq::testing::normals(ir::at_batch(shape, 5), 1, 21).add(0.3),
          ptq::testing::normals(ir::at_batch(shape, 2), 2, 22)};
}

/// The biases of a graph by layer; zeros where there is none.
std::map<std::string, at::Tensor> biases(const ir::Graph& graph) {
  std::map<std::string, at::Tensor> found;
  for (const ir::Node& node : graph.nodes) {
    const ir::Weighted* layer = ir::weighted(node.op);
    if (layer == nullptr) continue;
    found[node.name] = layer->bias ? layer->bias->value : at::Tensor();
  }
  return found;
}

class CorrectBiasesOf : public ::testing::TestWithParam<std::tuple<Case, Backend>> {};

TEST_P(CorrectBiasesOf, AgreesWithRunningEveryLayerTwice) {
  const auto& [the_case, backend] = GetParam();
  QuantizedNetwork network = place(backend, the_case.graph);
  initialize_weight_scales(network);
  const std::vector<at::Tensor> images = images_for(network.graph);
  calibrate_activations(network, {99.999, {1, false}}, batches_of(images));

  const Backend placed = backend;
  DirectCorrection direct(network, [&](const ir::Node& layer) { return is_own(placed, layer); });
  for (const at::Tensor& batch : images) direct.add_batch(batch);

  for (const bool compile : {false, true}) {
    QuantizedNetwork corrected = network;
    BiasCorrectionOptions options;
    options.input_quantizers =
        backend == Backend::kLayerwise ? InputQuantizers::kLayer : InputQuantizers::kGraph;
    options.execution = {2, compile};
    correct_biases(corrected, options, batches_of(images));
    const auto before = biases(network.graph);
    for (const auto& [name, after] : biases(corrected.graph)) {
      const at::Tensor old = before.at(name);
      const at::Tensor actual = old.defined() ? after.sub(old) : after;
      const double error = actual.sub(direct.shift(name)).abs().max().item<double>();
      EXPECT_LT(error, 1e-6 * direct.scale(name)) << name << (compile ? " compiled" : "");
      EXPECT_GT(actual.abs().max().item<double>(), 1e-3 * direct.scale(name)) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layers, CorrectBiasesOf,
                         ::testing::Combine(::testing::ValuesIn(cases()),
                                            ::testing::Values(Backend::kFx, Backend::kLayerwise)),
                         [](const auto& param) {
                           const bool is_fx = std::get<1>(param.param) == Backend::kFx;
                           return std::get<0>(param.param).name + (is_fx ? "Fx" : "Layerwise");
                         });

}  // namespace
}  // namespace ptq::passes
