#include "passes/learned_round/layer_objective.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <gtest/gtest.h>

#include "support/run_graph.h"

namespace ptq::passes {
namespace {

using testing::normals;
using testing::relative_difference;

/// A layer of `groups` with its inputs in both networks, [groups, columns, K].
struct Layer {
  int64_t groups;
  at::Tensor weight = normals({groups, 7, 12}, 0.5F, 1);
  at::Tensor change = normals({groups, 7, 12}, 0.05F, 2);
  at::Tensor original = normals({groups, 40, 12}, 1, 3);
  at::Tensor quantized = original.add(normals({groups, 40, 12}, 0.1F, 4));

  at::Tensor moment(const at::Tensor& a, const at::Tensor& b) const {
    return at::matmul(a.transpose(1, 2), b).div(40);
  }
  /// (W + dW) x_q - W x, [groups, columns, out].
  at::Tensor difference() const {
    return at::matmul(quantized, weight.add(change).transpose(1, 2))
        .sub(at::matmul(original, weight.transpose(1, 2)));
  }
  double error() const { return difference().square().sum().item<double>() / 40; }
  at::Tensor half_gradient() const {
    return at::matmul(difference().transpose(1, 2), quantized).div(40);
  }
  LayerMoments all_moments() const {
    const at::Tensor output = at::matmul(original, weight.transpose(1, 2));
    return {moment(quantized, quantized),
            moment(quantized, original),
            output.square().sum().item<double>() / 40,
            {quantized.mean(1), original.mean(1)}};
  }
  MomentsObjective moments() const { return {weight, all_moments()}; }
};

TEST(LayerObjective, OfMomentsIsTheErrorOverAllColumns) {
  for (const int64_t groups : {1, 5}) {
    const Layer layer{groups};
    MomentsObjective objective = layer.moments();
    EXPECT_NEAR(objective.error(layer.change) / layer.error(), 1, 1e-5);
    EXPECT_LT(relative_difference(objective.half_gradient(layer.change), layer.half_gradient()),
              1e-5);
  }
}

TEST(LayerObjective, OfColumnsIsTheSame) {
  const Layer layer{1};
  ColumnsObjective objective(layer.weight, layer.quantized[0], layer.original[0],
                             MeanError::kCounts);
  EXPECT_NEAR(objective.error(layer.change) / layer.error(), 1, 1e-5);
  EXPECT_LT(relative_difference(objective.half_gradient(layer.change), layer.half_gradient()),
            1e-5);
}

TEST(LayerObjective, WithoutTheMeanIsTheErrorThatABiasLeaves) {
  Layer layer{1};
  layer.original.add_(2);
  layer.quantized.add_(2.5);
  const at::Tensor e = layer.difference();
  const at::Tensor mean = e.mean(1, true);
  const double left = e.sub(mean).square().sum().item<double>() / 40;
  ASSERT_LT(left, 0.7 * layer.error());
  const LayerMoments all = layer.all_moments();
  MomentsObjective moments(layer.weight, centred(all, all.means, layer.weight));
  ColumnsObjective columns(layer.weight, layer.quantized[0], layer.original[0],
                           MeanError::kLeftToBias);
  const at::Tensor gradient =
      at::matmul(e.sub(mean).transpose(1, 2), layer.quantized.sub(layer.quantized.mean(1, true)))
          .div(40);
  for (LayerObjective* objective :
       {static_cast<LayerObjective*>(&moments), static_cast<LayerObjective*>(&columns)}) {
    EXPECT_NEAR(objective->error(layer.change) / left, 1, 1e-4);
    EXPECT_LT(relative_difference(objective->half_gradient(layer.change), gradient), 1e-4);
    EXPECT_LT(relative_difference(objective->mean_error(layer.change), mean.squeeze(1)), 1e-4);
    EXPECT_LT(relative_difference(objective->mean_squares(), layer.quantized.var(1, false)), 1e-4);
  }
}

TEST(LayerObjective, HasTheGradientOfFiniteDifferences) {
  const Layer layer{1};
  MomentsObjective objective = layer.moments();
  const at::Tensor gradient = objective.half_gradient(layer.change).mul(2);
  for (const int64_t i : {0, 31, 83}) {
    at::Tensor change = layer.change.clone();
    float& number = change.data_ptr<float>()[i];
    number += 0.5F;
    const double above = objective.error(change);
    number -= 1.0F;
    const double below = objective.error(change);
    EXPECT_NEAR(gradient.flatten()[i].item<double>(), above - below, 1e-3);
  }
}

}  // namespace
}  // namespace ptq::passes
