#include "ptq/passes/round_weights.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <limits>

#include "ptq/base/error.h"
#include "ptq/runtime/executor.h"
#include "rounding_network.h"
#include "runtime/execute_op.h"

namespace ptq::passes {
namespace {

using ptq::testing::normals;
using testing::batches_of;
using testing::RoundingNetwork;

struct Format {
  std::string name;
  quant::Quantizer quantizer;
};

quant::Quantizer quantizer_of(const std::function<void(quant::Quantizer&)>& change) {
  quant::Quantizer quantizer = testing::weight_quantizer();
  change(quantizer);
  return quantizer;
}

std::vector<Format> formats() {
  using quant::Granularity;
  const auto in_groups = [](quant::Quantizer& q) {
    q.granularity = Granularity::kPerGroup;
    q.scale_type = quant::ScaleType::kPowerOfTwo;
    q.axis = 1;
    q.group_size = 4;
  };
  const auto asymmetric = [](quant::Quantizer& q) {
    q.symmetry = quant::Symmetry::kAsymmetric;
    q.format = quant::IntegerFormat{4, false, false};
  };
  return {
      {"per_channel", testing::weight_quantizer()},
      {"per_tensor", quantizer_of([](auto& q) { q.granularity = Granularity::kPerTensor; })},
      {"power_of_two", quantizer_of([](auto& q) { q.scale_type = quant::ScaleType::kPowerOfTwo; })},
      {"asymmetric", quantizer_of(asymmetric)},
      {"asymmetric_hqo", quantizer_of([&](auto& q) {
         asymmetric(q);
         q.calibration = quant::Calibration::kHqo;
       })},
      {"minifloat", quantizer_of([](auto& q) {
         q.format = quant::MinifloatFormat{2, 1};
       })},
      {"groups", quantizer_of(in_groups)},
      {"minifloat_groups", quantizer_of([&](auto& q) {
         in_groups(q);
         q.format = quant::MinifloatFormat{2, 1};
       })},
  };
}

/// Every kind of layer, on activations that depend on each other.
struct Network : RoundingNetwork {
  explicit Network(const quant::Quantizer& quantizer) : RoundingNetwork({6, 8, 8}) {
    testing::GraphBuilder::ConvOptions depthwise, grouped;
    depthwise.groups = 12;
    grouped.groups = 2;
    grouped.stride = 2;
    auto x = builder.fake_quantize(builder.input(), 0.05);
    x = builder.add(ir::Relu{}, {quantize(builder.conv(x, 12), quantizer)});
    x = builder.fake_quantize(x, 0.05, false);
    x = quantize(builder.conv(x, 12, depthwise), quantizer);
    x = quantize(builder.conv(x, 8, grouped), quantizer);
    x = builder.fake_quantize(x, 0.1);
    finish(quantize(builder.linear(builder.flatten(x), 10), quantizer));
  }
};

std::vector<at::Tensor> images() {
  std::vector<at::Tensor> batches;
  for (const unsigned seed : {1, 2, 3}) {
    const at::Tensor x = normals({seed == 3 ? 5 : 24, 6, 8, 8}, 1, seed);
    batches.push_back(x.add(x.roll({1}, {3})).add(x.roll({1}, {1})));
  }
  return batches;
}

RoundingOptions options_of(RoundingTechnique technique) {
  RoundingOptions options;
  options.technique = technique;
  options.threads = 1;
  return options;
}

class RoundingFormats : public ::testing::TestWithParam<Format> {};

TEST_P(RoundingFormats, GptqNeverMakesALayersOutputWorseThanTheNearestCodes) {
  for (const bool act_order : {false, true}) {
    Network net(GetParam().quantizer);
    RoundingOptions options = options_of(RoundingTechnique::kGptq);
    options.act_order = act_order;
    int better = 0;
    for (const RoundedLayer& layer : round_weights(net, options, {}, batches_of(images()))) {
      EXPECT_LE(layer.error_after, layer.error_before) << layer.name;
      better += layer.error_after < 0.98 * layer.error_before ? 1 : 0;
    }
    EXPECT_GE(better, 3);
  }
}

TEST_P(RoundingFormats, GptqLeavesWeightsThatRoundToThemselves) {
  Network net(GetParam().quantizer);
  round_weights(net, options_of(RoundingTechnique::kGptq), {}, batches_of(images()));
  for (const char* name : {"conv", "conv_1", "conv_2", "linear"}) {
    const at::Tensor& weight = ir::weighted(net.layer(name).op)->weight.value;
    EXPECT_LE(net.rounded(name).sub(weight).abs().max().item<double>(), 1e-6) << name;
  }
}

TEST_P(RoundingFormats, EveryTechniqueBringsTheNetworkNearerToTheFloatOne) {
  const auto error_of = [](Network& net, const at::Tensor& expected) {
    const auto out = runtime::make_plan(net, {})->run(images()[0]);
    return out.sub(expected).square().mean().item<double>();
  };
  Network nearest(GetParam().quantizer);
  runtime::ExecutorOptions in_float;
  in_float.numerics = runtime::Numerics::kFloat;
  const at::Tensor expected = runtime::make_plan(nearest, in_float)->run(images()[0]);
  const double before = error_of(nearest, expected);
  for (const auto technique :
       {RoundingTechnique::kGptq, RoundingTechnique::kGpfq, RoundingTechnique::kQronos}) {
    Network net(GetParam().quantizer);
    round_weights(net, options_of(technique), {}, batches_of(images()));
    EXPECT_LT(error_of(net, expected), before) << static_cast<int>(technique);
  }
}

INSTANTIATE_TEST_SUITE_P(Weights, RoundingFormats, ::testing::ValuesIn(formats()),
                         [](const auto& test) { return test.param.name; });

/// The reported errors are those of the layer's output.
/// For a network of one convolution.
void expect_true_errors(RoundingTechnique technique, int64_t outputs, int64_t groups) {
  RoundingNetwork net({6, 8, 8});
  const auto read = net.builder.fake_quantize(net.builder.input(), 0.5);
  net.finish(net.quantize(net.builder.conv(read, outputs, {3, 1, 1, groups}),
                          testing::weight_quantizer()));
  ir::Op op = net.layer("conv").op;
  ir::weighted(op)->bias.reset();
  const at::Tensor x = images()[0];
  const at::Tensor quantized = quant::fake_quantize_activation(x, net.table, 0);
  const at::Tensor& input = technique == RoundingTechnique::kGptq ? x : quantized;
  const at::Tensor wanted = runtime::execute_op(op, {x}, 24);
  const auto error = [&](const at::Tensor& weight) {
    ir::weighted(op)->weight.value = weight;
    const at::Tensor out = runtime::execute_op(op, {input}, 24);
    return out.sub(wanted).square().sum().div(wanted.square().sum()).item<double>();
  };
  const double before = error(net.rounded("conv"));
  const auto reports = round_weights(net, options_of(technique), {}, batches_of({x}));
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].name, "conv");
  EXPECT_NEAR(reports[0].error_before, before, 1e-4 * before);
  EXPECT_NEAR(reports[0].error_after, error(net.rounded("conv")), 1e-4 * before);
}

TEST(RoundWeights, ReportsTheErrorOfEachLayersOutput) {
  for (const auto technique : {RoundingTechnique::kGptq, RoundingTechnique::kQronos}) {
    expect_true_errors(technique, 9, 1);
    expect_true_errors(technique, 6, 6);
  }
}

TEST(RoundWeights, TellsOfEachLayerAsItIsDone) {
  Network net(testing::weight_quantizer());
  std::vector<std::string> seen;
  RoundingOptions options = options_of(RoundingTechnique::kGpfq);
  options.on_layer = [&](const RoundedLayer& layer, int64_t done, int64_t total) {
    EXPECT_EQ(total, 4);
    EXPECT_EQ(done, static_cast<int64_t>(seen.size()) + 1);
    seen.push_back(layer.name);
  };
  round_weights(net, options, {}, batches_of(images()));
  EXPECT_EQ(seen, (std::vector<std::string>{"conv", "conv_1", "conv_2", "linear"}));
}

TEST(RoundWeights, DoesNotDependOnTheMemoryGiven) {
  std::vector<at::Tensor> weights;
  for (const int64_t memory : {int64_t{1} << 30, int64_t{0}}) {
    Network net(testing::weight_quantizer());
    RoundingOptions options = options_of(RoundingTechnique::kQronos);
    options.memory_bytes = memory;
    round_weights(net, options, {}, batches_of(images()));
    weights.push_back(ir::weighted(net.layer("linear").op)->weight.value);
  }
  EXPECT_TRUE(at::equal(weights[0], weights[1]));
}

/// Weights that something has moved since come back to where they were.
TEST(RoundWeights, AimsAtTheOriginalWeights) {
  Network net(testing::weight_quantizer(8));
  const OriginalWeights originals = weights_of(net.graph);
  for (ir::Node& node : net.graph.nodes) {
    if (ir::Weighted* layer = ir::weighted(node.op)) {
      layer->weight.value = layer->weight.value.mul(0.5);
    }
  }
  round_weights(net, options_of(RoundingTechnique::kQronos), originals, batches_of(images()));
  const at::Tensor& wanted = originals.at("linear");
  const double share =
      net.rounded("linear").mul(wanted).sum().item<double>() / wanted.square().sum().item<double>();
  EXPECT_GT(share, 0.9);
}

TEST(RoundWeights, UsesAPartOfTheInputsWhereAskedTo) {
  std::vector<at::Tensor> weights;
  for (const double fraction : {1.0, 0.3, 0.3}) {
    Network net(testing::weight_quantizer());
    RoundingOptions options = options_of(RoundingTechnique::kGpfq);
    options.input_fraction = fraction;
    round_weights(net, options, {}, batches_of(images()));
    weights.push_back(ir::weighted(net.layer("conv").op)->weight.value);
  }
  EXPECT_FALSE(at::equal(weights[0], weights[1]));
  EXPECT_TRUE(at::equal(weights[1], weights[2]));
}

TEST(RoundWeights, TreatsTransposedConvolutions) {
  RoundingNetwork net({6, 5, 5});
  ir::ConvTranspose op;
  op.weight = net.builder.weight({6, 7, 3, 3});
  op.stride = op.padding = op.output_padding = {1, 1};
  op.output_padding = {0, 0};
  op.dilation = {1, 1};
  net.finish(
      net.quantize(net.builder.add(op, {net.builder.input()}, "up"), testing::weight_quantizer()));
  const auto reports = round_weights(net, options_of(RoundingTechnique::kGptq), {},
                                     batches_of({normals({30, 6, 5, 5}, 1, 3).cumsum(1)}));
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_LT(reports[0].error_after, 0.9 * reports[0].error_before);
}

TEST(RoundWeights, NamesALayerWhoseInputsAreNotFinite) {
  Network net(testing::weight_quantizer());
  at::Tensor bad = images()[0].clone();
  bad.select(0, 3).fill_(std::numeric_limits<float>::infinity());
  try {
    round_weights(net, options_of(RoundingTechnique::kGptq), {}, batches_of({bad}));
    FAIL();
  } catch (const QuantizationError& error) {
    EXPECT_EQ(std::string(error.what()),
              "conv: its inputs are not finite on the calibration images");
  }
}

TEST(RoundWeights, NeedsImages) {
  Network net(testing::weight_quantizer());
  EXPECT_THROW(round_weights(net, options_of(RoundingTechnique::kGptq), {}, batches_of({})),
               DataError);
}

}  // namespace
}  // namespace ptq::passes
