#include "passes/calibrate_batch_norms.h"

#include <ATen/ops/full.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/var_mean.h>
#include <gtest/gtest.h>

#include "passes/bias_correction/direct_correction.h"
#include "ptq/base/error.h"
#include "support/batches.h"
#include "support/network_builder.h"

namespace ptq::passes {
namespace {

using ptq::testing::batches_of;
using ptq::testing::NetworkBuilder;

struct NormedNetwork : QuantizedNetwork {
  const ir::BatchNorm& norm(const std::string& name) const {
    for (const ir::Node& node : graph.nodes) {
      if (node.name == name) return *node.as<ir::BatchNorm>();
    }
    throw InternalError("no norm " + name);
  }
};

/// Two batch norms one after the other, the first behind a quantizer of scale 1.
NormedNetwork two_norms() {
  NormedNetwork net;
  const ir::QuantizerId quantizer = net.table.add({});
  net.table.scale_of(quantizer).value = at::full({}, 1.0);
  NetworkBuilder builder({2, 4, 4});
  ir::ValueId x = builder.add("quant", ir::FakeQuantize{quantizer}, {builder.input()});
  x = builder.batch_norm("first", x);
  x = builder.batch_norm("second", builder.add("relu", ir::Relu{}, {x}));
  builder.reshape("flat", x, {32});
  net.graph = builder.graph();
  return net;
}

struct MeanAndVariance {
  at::Tensor mean, variance;
};

MeanAndVariance statistics(const at::Tensor& value) {
  const auto [variance, mean] = at::var_mean(value, at::IntArrayRef{0, 2, 3}, true);
  return {mean, variance};
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).abs().max().item<double>();
}

class CalibrateBatchNorms : public ::testing::Test {
 protected:
  const std::vector<at::Tensor> images_{ptq::testing::normals({6, 2, 4, 4}, 3, 1).add(2),
                                        ptq::testing::normals({2, 2, 4, 4}, 5, 2)};
};

TEST_F(CalibrateBatchNorms, TakesMeanAndGeometricMeanOfVariances) {
  NormedNetwork net = two_norms();
  const at::Tensor old_variance = net.norm("first").running_var.value;
  EXPECT_EQ(calibrate_batch_norms(net, {1}, batches_of(images_)), 2);

  const MeanAndVariance a = statistics(images_[0].round().clamp(-128, 127));
  const MeanAndVariance b = statistics(images_[1].round().clamp(-128, 127));
  const at::Tensor mean = a.mean.add(b.mean).div(2);
  const at::Tensor variance = at::sqrt(old_variance.mul(a.variance.add(b.variance).div(2)));
  EXPECT_LT(difference(net.norm("first").running_mean.value, mean), 1e-5);
  EXPECT_LT(difference(net.norm("first").running_var.value, variance), 1e-4);
}

TEST_F(CalibrateBatchNorms, NormalizesWithTheStatisticsOfTheBatch) {
  NormedNetwork net = two_norms();
  const ir::BatchNorm first = net.norm("first");
  calibrate_batch_norms(net, {1}, batches_of({images_[0]}));
  const at::Tensor x = images_[0].round().clamp(-128, 127);
  const auto by_channel = [](const at::Tensor& vector) { return vector.view({1, 2, 1, 1}); };
  const auto [variance, mean] = at::var_mean(x, at::IntArrayRef{0, 2, 3}, false);
  const at::Tensor y = x.sub(by_channel(mean))
                           .div(by_channel(variance.add(first.eps).sqrt()))
                           .mul(by_channel(first.weight->value))
                           .add(by_channel(first.bias->value));
  EXPECT_LT(difference(net.norm("second").running_mean.value, statistics(y.relu()).mean), 1e-5);
}

TEST_F(CalibrateBatchNorms, TakesNoImageWithoutBatchNorms) {
  NetworkBuilder builder({2, 4, 4});
  builder.reshape("flat", builder.input(), {32});
  QuantizedNetwork network{builder.graph(), {}};
  const NextBatch never = []() -> std::optional<at::Tensor> {
    ADD_FAILURE() << "took an image";
    return std::nullopt;
  };
  EXPECT_EQ(calibrate_batch_norms(network, {1}, never), 0);
}

TEST_F(CalibrateBatchNorms, RefusesAnEmptySet) {
  NormedNetwork net = two_norms();
  EXPECT_THROW(calibrate_batch_norms(net, {1}, batches_of({})), DataError);
}

TEST_F(CalibrateBatchNorms, NamesABatchNormWhoseStatisticsAreNotFinite) {
  NormedNetwork net = two_norms();
  try {
    calibrate_batch_norms(net, {1}, batches_of({at::full({2, 2, 4, 4}, std::nanf(""))}));
    FAIL() << "calibrated";
  } catch (const QuantizationError& error) {
    EXPECT_EQ(std::string(error.what()),
              "first: its statistics are not finite on the calibration images");
  }
}

}  // namespace
}  // namespace ptq::passes
