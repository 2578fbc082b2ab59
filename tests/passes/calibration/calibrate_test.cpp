#include "ptq/passes/calibrate.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ptq/base/error.h"
#include "quant/statistics.h"
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

/// Ways that one pass, or several, can calibrate.
std::vector<ActivationCalibration> several_ways(const Network& net) {
  std::vector<ActivationCalibration> all;
  for (const double percentile : {90.0, 99.0, 100.0}) all.push_back({net.table, percentile});
  all.push_back({net.table, 80});
  for (quant::Quantizer& each : all.back().table.quantizers) {
    each.symmetry = quant::Symmetry::kAsymmetric;
  }
  all.push_back({net.table, 100});
  for (quant::Quantizer& each : all.back().table.quantizers) {
    each.calibration = quant::Calibration::kMse;
  }
  return all;
}

void expect_equal(const quant::QuantizerTable& a, const quant::QuantizerTable& b) {
  for (size_t i = 0; i < a.scales.size(); ++i) {
    EXPECT_TRUE(a.scales[i].value.equal(b.scales[i].value)) << i;
  }
  for (size_t i = 0; i < a.quantizers.size(); ++i) {
    const at::Tensor& zero_point = a.quantizers[i].zero_point;
    ASSERT_EQ(zero_point.defined(), b.quantizers[i].zero_point.defined()) << i;
    EXPECT_TRUE(!zero_point.defined() || zero_point.equal(b.quantizers[i].zero_point)) << i;
  }
}

TEST_P(Calibrate, GivesSeveralTablesWhatEachWouldGetAlone) {
  const Network net = network(false);
  const std::vector<at::Tensor> images = {at::randn({7, 2, 3, 3}), at::randn({4, 2, 3, 3})};
  std::vector<ActivationCalibration> together = several_ways(net);
  calibrate_activations(net.graph, together, options(), batches(images));
  std::vector<ActivationCalibration> alone = several_ways(net);
  for (size_t i = 0; i < alone.size(); ++i) {
    CalibrationOptions own = options();
    own.percentile = alone[i].percentile;
    calibrate_activations(net.graph, alone[i].table, own, batches(images));
    SCOPED_TRACE(i);
    expect_equal(together[i].table, alone[i].table);
  }
  const auto scale = [&](size_t i) { return together[i].table.scale_of(0).value.item<float>(); };
  EXPECT_LT(scale(0), scale(2));
}

TEST_P(Calibrate, KeepsTheFailureOfOneTableFromTheOthers) {
  const Network net = network(false);
  const at::Tensor images = at::full({3, 2, 3, 3}, 4.0);
  images[0][0][0][0] = std::numeric_limits<float>::infinity();
  std::vector<ActivationCalibration> all = {{net.table, 100}, {net.table, 100}};
  // Only the sigmoid is left to it, which no infinity leaves.
  all[1].table.at(0).timing = quant::Timing::kDynamic;
  calibrate_activations(net.graph, all, options(), batches({images}));
  ASSERT_TRUE(all[0].failure);
  EXPECT_THROW(std::rethrow_exception(all[0].failure), QuantizationError);
  EXPECT_FALSE(all[1].failure);
  EXPECT_FLOAT_EQ(all[1].table.scale_of(1).value.item<float>(), 1.0F / 255);
}

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
