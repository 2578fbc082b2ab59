#include "passes/correct_biases.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <limits>

#include "direct_correction.h"
#include "ptq/backends/placement.h"
#include "ptq/base/error.h"
#include "support/batches.h"
#include "support/network_builder.h"

namespace ptq::passes {
namespace {

using ptq::testing::batches_of;
using ptq::testing::NetworkBuilder;

struct BiasedNetwork : QuantizedNetwork {
  ir::Weighted& layer(const std::string& name) {
    for (ir::Node& node : graph.nodes) {
      if (node.name == name) return *ir::weighted(node.op);
    }
    throw InternalError("no layer " + name);
  }
  double bias(const std::string& name) { return layer(name).bias->value.item<double>(); }
};

ir::QuantizerId add_quantizer(quant::QuantizerTable& table, quant::QuantizerKind kind,
                              double scale) {
  quant::Quantizer quantizer;
  quantizer.kind = kind;
  const ir::QuantizerId id = table.add(quantizer);
  table.scale_of(id).value = at::full({}, scale);
  return id;
}

/// y = 0.6 x + 0.3 behind a quantizer of scale 1, weight at scale 0.5; then, behind another of
/// scale 1, z = 1.3 y, at scale 1, without a bias.
BiasedNetwork two_layers() {
  BiasedNetwork net;
  NetworkBuilder builder({1});
  const auto layer = [&](const std::string& name, ir::ValueId x, double weight, double scale) {
    ir::Linear linear;
    linear.weight = {name + ".weight", at::full({1, 1}, weight)};
    linear.weight_quantizer = add_quantizer(net.table, quant::QuantizerKind::kWeight, scale);
    const ir::FakeQuantize fake{add_quantizer(net.table, quant::QuantizerKind::kActivation, 1)};
    return builder.add(name, linear, {builder.add(name + ".quant", fake, {x})});
  };
  layer("second", layer("first", builder.input(), 0.6, 0.5), 1.3, 1);
  net.graph = builder.graph();
  net.layer("first").bias = ir::Parameter{"first.bias", at::full({1}, 0.3)};
  return net;
}

at::Tensor column(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions().dtype(at::kFloat)).view({-1, 1});
}

class CorrectBiases : public ::testing::TestWithParam<bool> {
 protected:
  BiasCorrectionOptions options(InputQuantizers placement) const {
    BiasCorrectionOptions result;
    result.input_quantizers = placement;
    result.execution = {2, GetParam()};
    return result;
  }
};

TEST_P(CorrectBiases, ComparesOnTheQuantizedInputWhereQuantizersAreOfTheGraph) {
  BiasedNetwork net = two_layers();
  correct_biases(net, options(InputQuantizers::kGraph), batches_of({column({3.4})}));
  // x = 3: 0.6 * 3 - 0.5 * 3. The second layer gets round(0.6 * 3 + 0.3) = 2: 1.3 * 2 - 1 * 2.
  EXPECT_NEAR(net.bias("first"), 0.3 + 0.3, 1e-6);
  EXPECT_NEAR(net.bias("second"), 0.6, 1e-6);
}

TEST_P(CorrectBiases, ComparesOnTheFloatInputWhereQuantizersAreOfTheLayer) {
  BiasedNetwork net = two_layers();
  correct_biases(net, options(InputQuantizers::kLayer), batches_of({column({3.4})}));
  // 0.6 * 3.4 - 0.5 * 3. The second layer gets 0.6 * 3.4 + 0.3 = 2.34: 1.3 * 2.34 - 1 * 2.
  EXPECT_NEAR(net.bias("first"), 0.3 + 0.54, 1e-6);
  EXPECT_NEAR(net.bias("second"), 1.042, 1e-6);
}

TEST_P(CorrectBiases, CountsBatchesAlike) {
  BiasedNetwork net = two_layers();
  correct_biases(net, options(InputQuantizers::kGraph),
                 batches_of({column({10, 10, 10}), column({2})}));
  EXPECT_NEAR(net.bias("first"), 0.3 + 0.1 * 6, 1e-6);
}

TEST_P(CorrectBiases, CreatesABiasAndQuantizesItWhereTheLayerHasAQuantizer) {
  BiasedNetwork net = two_layers();
  ir::Weighted& second = net.layer("second");
  second.bias_quantizer = net.table.add([] {
    quant::Quantizer quantizer;
    quantizer.kind = quant::QuantizerKind::kBias;
    quantizer.format = quant::IntegerFormat{32, true, false};
    return quantizer;
  }());
  const BiasCorrection report =
      correct_biases(net, options(InputQuantizers::kGraph), batches_of({column({3.4})}));
  EXPECT_EQ(report.layers, 2);
  EXPECT_EQ(report.created, 1);
  EXPECT_NEAR(report.mean_shift, (0.3 + 0.6) / 2, 1e-6);
  EXPECT_EQ(second.bias->name, "second.bias");
  const ir::Index index(net.graph);
  const ir::Node& node = net.graph.nodes.back();
  // At scale 1 * 1, 0.6 rounds to 1.
  EXPECT_EQ(quant::quantized_layer_tensors(index, node, net.table).bias.item<float>(), 1);
}

TEST_P(CorrectBiases, CountsTheErrorOfAQuantizedBias) {
  BiasedNetwork net = two_layers();
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kBias;
  quantizer.format = quant::IntegerFormat{32, true, false};
  net.layer("first").bias_quantizer = net.table.add(quantizer);
  correct_biases(net, options(InputQuantizers::kGraph), batches_of({column({3.4})}));
  // 0.3 is 0.5 at scale 1 * 0.5: 0.6 * 3 + 0.3 - (0.5 * 3 + 0.5).
  EXPECT_NEAR(net.bias("first"), 0.3 + 0.1, 1e-6);
}

TEST_P(CorrectBiases, ComparesWithTheWeightBeforeItWasRounded) {
  BiasedNetwork net = two_layers();
  BiasCorrectionOptions with_original = options(InputQuantizers::kGraph);
  with_original.original_weights["first"] = net.layer("first").weight.value;
  net.layer("first").weight.value = at::full({1, 1}, 1.0);
  correct_biases(net, with_original, batches_of({column({3.4})}));
  EXPECT_NEAR(net.bias("first"), 0.3 + (0.6 - 1) * 3, 1e-6);
  EXPECT_NEAR(net.bias("second"), 0.6, 1e-6);
}

TEST_P(CorrectBiases, NamesALayerWithValuesThatAreNotFinite) {
  BiasedNetwork net = two_layers();
  try {
    correct_biases(net, options(InputQuantizers::kLayer),
                   batches_of({column({std::numeric_limits<double>::infinity()})}));
    FAIL() << "corrected";
  } catch (const QuantizationError& error) {
    EXPECT_EQ(std::string(error.what()),
              "first: its values are not finite on the calibration images");
  }
}

TEST_P(CorrectBiases, RefusesAnEmptySet) {
  BiasedNetwork net = two_layers();
  EXPECT_THROW(correct_biases(net, options(InputQuantizers::kGraph), batches_of({})), DataError);
}

at::Tensor appendix_images(int t, int rows) {
  at::Tensor images = at::zeros({rows, 12});
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < 12; ++c) {
      const int i = r * 12 + c;
      const auto x = static_cast<float>((53 * i + 29 * t + 7 * r * r) % 97 - 40);
      images[r][c] = x / 32 * (1 + static_cast<float>(c) / 4);
    }
  }
  return images;
}

TEST_P(CorrectBiases, GivesTheReferencesBias) {
  NetworkBuilder builder({12});
  builder.linear("fc", builder.input(), 4);
  BiasedNetwork in_float{builder.graph(), {}};
  at::Tensor weight = at::zeros({48});
  for (int i = 0; i < 48; ++i) weight[i] = static_cast<float>((37 * i + 11) % 101 - 50) / 64;
  in_float.layer("fc").weight.value = weight.view({4, 12});
  in_float.layer("fc").bias->value = at::tensor({0.5F, -0.25F, 0.125F, 0.0F});

  backends::PlacementOptions placement;
  placement.weights.format = quant::IntegerFormat{3};
  placement.weights.granularity = quant::Granularity::kPerChannel;
  BiasedNetwork net{backends::place(backends::Backend::kLayerwise, in_float.graph, placement)};
  initialize_weight_scales(net);
  const std::vector<at::Tensor> images{appendix_images(0, 20), appendix_images(1, 10)};
  EXPECT_EQ(images[0].sum().item<float>(), 152.7578125F);
  calibrate_activations(net, {99.999, {1, GetParam()}}, batches_of(images));
  correct_biases(net, options(InputQuantizers::kLayer), batches_of(images));

  // Reference-contract A.3.
  const at::Tensor expected = at::tensor({0.5311172F, -0.1616317F, 0.08702087F, 0.04280502F});
  EXPECT_LT(net.layer("fc").bias->value.sub(expected).abs().max().item<double>(), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(CompiledAndPlain, CorrectBiases, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "Compiled" : "Plain"; });

BiasedNetwork deep_network() {
  NetworkBuilder builder({3, 12, 12});
  ir::ValueId x = builder.conv("stem", builder.input(), {8, 3, 2});
  x = builder.add("relu", ir::Relu{}, {x});
  x = builder.conv("depthwise", x, {8, 3, 1, 8});
  x = builder.add("sum", ir::Add{}, {builder.conv("point", x, {8, 1}), x});
  builder.linear("head", builder.add("pool", ir::Mean{{2, 3}, false}, {x}), 5);
  BiasedNetwork net{backends::place(backends::Backend::kFx, builder.graph(), {})};
  initialize_weight_scales(net);
  return net;
}

TEST(CorrectBiasesOnLanes, GivesTheSameOnAnyNumberOfThreads) {
  BiasedNetwork net = deep_network();
  const std::vector<at::Tensor> images{ptq::testing::normals({7, 3, 12, 12}, 1, 3),
                                       ptq::testing::normals({4, 3, 12, 12}, 1, 4)};
  calibrate_activations(net, {}, batches_of(images));
  std::vector<at::Tensor> biases;
  for (const int threads : {1, 2, 3}) {
    BiasedNetwork corrected = net;
    BiasCorrectionOptions options;
    options.execution.threads = threads;
    const BiasCorrection report = correct_biases(corrected, options, batches_of(images));
    EXPECT_EQ(report.layers, 4);
    for (const char* name : {"stem", "depthwise", "point", "head"}) {
      biases.push_back(corrected.layer(name).bias->value);
    }
  }
  for (size_t i = 4; i < biases.size(); ++i) EXPECT_TRUE(biases[i].equal(biases[i % 4])) << i;
}

}  // namespace
}  // namespace ptq::passes
