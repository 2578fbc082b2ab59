#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "passes/learned_round/learned_network.h"

namespace ptq::passes {
namespace {

/// By output channel, the mean difference of the network to the float one.
at::Tensor mean_difference(Network& network, Network& original) {
  const auto quantized =
      runtime::make_interpreter(network.builder, {runtime::Numerics::kQuantized, {}, 1});
  const NextBatch next = calibration();
  at::Tensor sum = at::zeros({5});
  while (const std::optional<at::Tensor> images = next()) {
    const at::Tensor truth = testing::run_float(original.graph(), *images);
    sum.add_(quantized->run(*images).sub(truth).sum(0));
  }
  return sum.div(18);
}

TEST(LearnRounding, LeavesNoMeanErrorToALayerWhoseBiasItCorrects) {
  for (const std::optional<int64_t> batch_size : {std::optional<int64_t>(), {1}}) {
    Network network, original;
    LearnedRoundOptions options = quick();
    options.batch_size = batch_size;
    options.correct_biases = true;
    learn_rounding(network.builder, options, calibration());
    const at::Tensor difference = mean_difference(network, original);
    EXPECT_LT(difference.abs().max().item<double>(), 1e-4);
  }
}

TEST(LearnRounding, MovesFewerCodesTheMoreItIsDamped) {
  const auto moved = [](double damping) {
    Network network;
    LearnedRoundOptions options = quick();
    options.batch_size = std::nullopt;
    options.damping = damping;
    double sum = 0;
    for (const RoundedUnit& unit : learn_rounding(network.builder, options, calibration()).units) {
      sum += unit.moved;
    }
    return sum;
  };
  const double freely = moved(0);
  EXPECT_LT(moved(1), freely);
  EXPECT_LT(moved(100), 0.3 * freely);
}

}  // namespace
}  // namespace ptq::passes
