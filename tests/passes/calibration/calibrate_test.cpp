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
#include "support/batches.h"
#include "support/network_builder.h"

namespace ptq::passes {
namespace {

using ptq::testing::batches_of;
using ptq::testing::NetworkBuilder;

quant::Quantizer activation() {
  quant::Quantizer quantizer;
  quantizer.format = quant::IntegerFormat{8, false, false};
  return quantizer;
}

/// relu(x) and sigmoid(x), each behind a FakeQuantize, added.
QuantizedNetwork network(bool shared_scale) {
  QuantizedNetwork result;
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

class Calibrate : public ::testing::TestWithParam<bool> {
 protected:
  CalibrationOptions options() const { return {100, {2, GetParam()}}; }
};

TEST_P(Calibrate, AveragesBatchesWithoutRegardToTheirSize) {
  QuantizedNetwork net = network(false);
  calibrate_activations(net, options(),
                        batches_of({at::full({5, 2, 3, 3}, 2.0), at::full({1, 2, 3, 3}, 8.0)}));
  EXPECT_FLOAT_EQ(net.table.scale_of(0).value.item<float>(), 5.0F / 255);
}

TEST_P(Calibrate, AveragesAllTensorsOfASharedScale) {
  QuantizedNetwork net = network(true);
  calibrate_activations(net, options(), batches_of({at::full({3, 2, 3, 3}, 4.0)}));
  const float sigmoid = 1 / (1 + std::exp(-4.0F));
  EXPECT_NEAR(net.table.scale_of(0).value.item<float>(), (4 + sigmoid) / 2 / 255, 1e-7);
}

TEST_P(Calibrate, TakesThePercentileOverTheWholeBatch) {
  QuantizedNetwork net = network(false);
  const at::Tensor images = at::rand({7, 2, 3, 3});
  CalibrationOptions ninety = options();
  ninety.percentile = 90;
  calibrate_activations(net, ninety, batches_of({images}));
  const at::Tensor sorted = std::get<0>(images.flatten().sort());
  const float expected = sorted[quant::percentile_rank(90, images.numel()) - 1].item<float>();
  EXPECT_FLOAT_EQ(net.table.scale_of(0).value.item<float>(), expected / 255);
}

TEST_P(Calibrate, NamesAValueThatIsNotFinite) {
  QuantizedNetwork net = network(false);
  try {
    calibrate_activations(
        net, options(),
        batches_of({at::full({1, 2, 3, 3}, std::numeric_limits<float>::infinity())}));
    FAIL() << "calibrated";
  } catch (const QuantizationError& error) {
    EXPECT_EQ(std::string(error.what()),
              "relu.quant: its values are not finite on the calibration images");
  }
}

TEST_P(Calibrate, RefusesAnEmptySet) {
  QuantizedNetwork net = network(false);
  EXPECT_THROW(calibrate_activations(net, options(), batches_of({})), DataError);
}

TEST_P(Calibrate, FindsAScaleForEachChannel) {
  QuantizedNetwork net;
  quant::Quantizer quantizer = activation();
  quantizer.granularity = quant::Granularity::kPerChannel;
  quantizer.axis = 1;
  const auto id = net.table.add(quantizer);
  NetworkBuilder builder({2, 3, 3});
  const auto relu = builder.add("relu", ir::Relu{}, {builder.input()});
  builder.reshape("flat", builder.add("relu.quant", ir::FakeQuantize{id}, {relu}), {18});
  at::Tensor images = at::rand({3, 2, 3, 3});
  images.select(1, 0).mul_(10);
  net.graph = builder.graph();
  calibrate_activations(net, options(), batches_of({images, images.mul(3)}));
  const at::Tensor largest = at::amax(images, {0, 2, 3}).mul(2).div(255);
  EXPECT_TRUE(at::allclose(net.table.scale_of(id).value, largest, 1e-6, 0));
}

INSTANTIATE_TEST_SUITE_P(CompiledAndPlain, Calibrate, ::testing::Bool());

/// Ways that one pass, or several, can calibrate.
std::vector<ActivationCalibration> several_ways(const QuantizedNetwork& net) {
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
  const QuantizedNetwork net = network(false);
  const std::vector<at::Tensor> images = {at::randn({7, 2, 3, 3}), at::randn({4, 2, 3, 3})};
  std::vector<ActivationCalibration> together = several_ways(net);
  calibrate_activations(net.graph, together, options(), batches_of(images));
  std::vector<ActivationCalibration> alone = several_ways(net);
  for (size_t i = 0; i < alone.size(); ++i) {
    CalibrationOptions own = options();
    own.percentile = alone[i].percentile;
    QuantizedNetwork network{net.graph, alone[i].table};
    calibrate_activations(network, own, batches_of(images));
    SCOPED_TRACE(i);
    expect_equal(together[i].table, network.table);
  }
  const auto scale = [&](size_t i) { return together[i].table.scale_of(0).value.item<float>(); };
  EXPECT_LT(scale(0), scale(2));
}

TEST_P(Calibrate, KeepsTheFailureOfOneTableFromTheOthers) {
  const QuantizedNetwork net = network(false);
  const at::Tensor images = at::full({3, 2, 3, 3}, 4.0);
  images[0][0][0][0] = std::numeric_limits<float>::infinity();
  std::vector<ActivationCalibration> all = {{net.table, 100}, {net.table, 100}};
  // Only the sigmoid is left to it, which no infinity leaves.
  all[1].table.at(0).timing = quant::Timing::kDynamic;
  calibrate_activations(net.graph, all, options(), batches_of({images}));
  ASSERT_TRUE(all[0].failure);
  EXPECT_THROW(std::rethrow_exception(all[0].failure), QuantizationError);
  EXPECT_FALSE(all[1].failure);
  EXPECT_FLOAT_EQ(all[1].table.scale_of(1).value.item<float>(), 1.0F / 255);
}

TEST(InitializeWeightScales, NamesALayerWithNan) {
  NetworkBuilder builder({3, 4, 4});
  builder.conv("features.0", builder.input(), {});
  QuantizedNetwork network{builder.graph(), {}};
  ir::Weighted& layer = *ir::weighted(network.graph.nodes.front().op);
  quant::Quantizer quantizer;
  quantizer.kind = quant::QuantizerKind::kWeight;
  layer.weight_quantizer = network.table.add(quantizer);
  layer.weight.value[0][0][0][0] = std::nanf("");
  try {
    initialize_weight_scales(network);
    FAIL() << "initialized";
  } catch (const QuantizationError& error) {
    EXPECT_EQ(std::string(error.what()), "features.0: its weight is not finite");
  }
}

}  // namespace
}  // namespace ptq::passes
