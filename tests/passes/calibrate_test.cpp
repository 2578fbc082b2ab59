#include "ptq/passes/calibrate.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ptq/base/error.h"
#include "ptq/quant/statistics.h"
#include "support/network_builder.h"

namespace ptq::passes {
namespace {

using ptq::testing::NetworkBuilder;

/// relu(x) and sigmoid(x), each behind a FakeQuantize, added.
struct Network {
  ir::Graph graph;
  quant::QuantizerTable table;
};

quant::Quantizer activation() {
  quant::Quantizer quantizer;
  quantizer.format = quant::IntegerFormat{8, false, false};
  return quantizer;
}

Network network(bool shared_scale) {
  Network result;
  const auto first = result.table.add(activation());
  const auto second = shared_scale ? result.table.add_sharing_scale(activation(), first)
                                   : result.table.add(activation());
  NetworkBuilder builder({2, 3, 3});
  const auto relu = builder.add("relu", ir::Relu{}, {builder.input()});
  const auto a = builder.add("relu.quant", ir::FakeQuantize{first}, {relu});
  const auto sigmoid = builder.add("sigmoid", ir::Sigmoid{}, {builder.input()});
  const auto b = builder.add("sigmoid.quant", ir::FakeQuantize{second}, {sigmoid});
  builder.reshape("flat", builder.add("sum", ir::Add{}, {a, b}), {18});
  result.graph = builder.graph();
  return result;
}

NextBatch batches(std::vector<at::Tensor> images) {
  return [images = std::move(images), next = size_t{0}]() mutable -> std::optional<at::Tensor> {
    if (next == images.size()) return std::nullopt;
    return images[next++];
  };
}

class Calibrate : public ::testing::TestWithParam<bool> {
 protected:
  CalibrationOptions options() const { return {100, 2, GetParam()}; }
};

TEST_P(Calibrate, AveragesBatchesWithoutRegardToTheirSize) {
  Network net = network(false);
  calibrate_activations(net.graph, net.table, options(),
                        batches({at::full({5, 2, 3, 3}, 2.0), at::full({1, 2, 3, 3}, 8.0)}));
  EXPECT_FLOAT_EQ(net.table.scale_of(0).value.item<float>(), 5.0F / 255);
}

TEST_P(Calibrate, AveragesAllTensorsOfASharedScale) {
  Network net = network(true);
  calibrate_activations(net.graph, net.table, options(), batches({at::full({3, 2, 3, 3}, 4.0)}));
  const float sigmoid = 1 / (1 + std::exp(-4.0F));
  EXPECT_NEAR(net.table.scale_of(0).value.item<float>(), (4 + sigmoid) / 2 / 255, 1e-7);
}

TEST_P(Calibrate, TakesThePercentileOverTheWholeBatch) {
  Network net = network(false);
  const at::Tensor images = at::rand({7, 2, 3, 3});
  CalibrationOptions ninety = options();
  ninety.percentile = 90;
  calibrate_activations(net.graph, net.table, ninety, batches({images}));
  const at::Tensor sorted = std::get<0>(images.flatten().sort());
  const float expected = sorted[quant::percentile_rank(90, images.numel()) - 1].item<float>();
  EXPECT_FLOAT_EQ(net.table.scale_of(0).value.item<float>(), expected / 255);
}

TEST_P(Calibrate, NamesAValueThatIsNotFinite) {
  Network net = network(false);
  try {
    calibrate_activations(
        net.graph, net.table, options(),
        batches({at::full({1, 2, 3, 3}, std::numeric_limits<float>::infinity())}));
    FAIL() << "calibrated";
  } catch (const QuantizationError& error) {
    EXPECT_EQ(std::string(error.what()),
              "relu.quant: its values are not finite on the calibration images");
  }
}

TEST_P(Calibrate, RefusesAnEmptySet) {
  Network net = network(false);
  EXPECT_THROW(calibrate_activations(net.graph, net.table, options(), batches({})), DataError);
}

TEST_P(Calibrate, FindsAScaleForEachChannel) {
  quant::QuantizerTable table;
  quant::Quantizer quantizer = activation();
  quantizer.granularity = quant::Granularity::kPerChannel;
  quantizer.axis = 1;
  const auto id = table.add(quantizer);
  NetworkBuilder builder({2, 3, 3});
  const auto relu = builder.add("relu", ir::Relu{}, {builder.input()});
  builder.reshape("flat", builder.add("relu.quant", ir::FakeQuantize{id}, {relu}), {18});
  at::Tensor images = at::rand({3, 2, 3, 3});
  images.select(1, 0).mul_(10);
  calibrate_activations(builder.graph(), table, options(), batches({images, images.mul(3)}));
  const at::Tensor largest = at::amax(images, {0, 2, 3}).mul(2).div(255);
  EXPECT_TRUE(at::allclose(table.scale_of(id).value, largest, 1e-6, 0));
}

INSTANTIATE_TEST_SUITE_P(CompiledAndPlain, Calibrate, ::testing::Bool());

TEST(InitializeWeightScales, NamesALayerWithNan) {
  NetworkBuilder builder({3, 4, 4});
  builder.conv("features.0", builder.input(), {});
  ir::Graph graph = builder.graph();
  quant::QuantizerTable table;
  ir::Weighted& layer = *ir::weighted(graph.nodes.front().op);
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kWeight;
  layer.weight_quantizer = table.add(quantizer);
  layer.weight.value[0][0][0][0] = std::nanf("");
  try {
    initialize_weight_scales(graph, table);
    FAIL() << "initialized";
  } catch (const QuantizationError& error) {
    EXPECT_EQ(std::string(error.what()), "features.0: its weight is not finite");
  }
}

}  // namespace
}  // namespace ptq::passes
