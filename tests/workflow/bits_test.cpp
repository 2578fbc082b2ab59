// Sensitivities and bits within budgets, on networks with residuals and concats.
#include "ptq/bits.h"

#include <ATen/ops/cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>

#include "eval/divergence.h"
#include "ptq/base/invalid_option.h"
#include "ptq/quantize.h"
#include "ptq/runtime/executor.h"
#include "quant/fake_quantize.h"
#include "support/graph_builder.h"
#include "support/temporary_folder.h"
#include "support/test_images.h"
#include "workflow/bits/budgets.h"
#include "workflow/bits/search.h"
#include "workflow/bits/sensitivity.h"

namespace ptq::workflow {
namespace {

using quant::QuantizerKind;
using ::testing::IsEmpty;

/// A residual, a concat and a head.
ir::Graph branched_network() {
  ptq::testing::GraphBuilder net({3, 8, 8});
  const auto relu = [&](ir::ValueId value) { return net.add(ir::Relu{}, {value}); };
  const auto stem = relu(net.conv(net.input(), 6));
  const auto sum = net.add(ir::Add{}, {net.conv(stem, 6), stem});
  const auto left = relu(net.conv(sum, 3)), right = relu(net.conv(sum, 5));
  const auto both = net.add(ir::Concat{1}, {left, right});
  return net.finish(net.linear(net.flatten(relu(net.conv(both, 4))), 5));
}

class Bits : public ::testing::Test {
 protected:
  Bits() : log_(silence_), context_{runtime::resolved({1}), log_, session_} {
    for (int i = 0; i < 12; ++i) {
      const std::string file = (i % 2 == 0 ? "a/" : "b/") + std::to_string(i) + ".bmp";
      support::write_noise_image(folder_.file(file), {8, 8}, static_cast<uint32_t>(i));
    }
    Recipe recipe;
    recipe.resize = recipe.crop = 8;
    images_ = image_folder(folder_.path(), recipe);
    config_.weights.granularity = Granularity::kPerChannel;
  }

  BitCandidates candidates(const CandidateBits& bits = {}) {
    return bit_candidates(branched_network(), config_, bits, *images_, context_);
  }

  support::TemporaryFolder folder_;
  std::optional<ImageSet> images_;
  QuantizeConfig config_;
  Silence silence_;
  RecordingLog log_;
  Session session_;
  Context context_;
};

at::Tensor float_logits(const QuantizedNetwork& of, const passes::NextBatch& next) {
  runtime::ExecutorOptions options;
  options.numerics = runtime::Numerics::kFloat;
  const auto network = runtime::make_interpreter(of, options);
  std::vector<at::Tensor> logits;
  while (const auto batch = next()) logits.push_back(network->run(*batch));
  return at::cat(logits);
}

/// Of the float network whose layers of one group have rounded weights: written out, where the
/// measurement runs variants.
double divergence_by_hand(const BitCandidates& made, const LossMeter& meter,
                          const SensitivityRow& row) {
  ir::Graph rounded = made.network.graph;
  for (ir::Node& node : rounded.nodes) {
    if (std::find(row.layers.begin(), row.layers.end(), node.name) == row.layers.end()) continue;
    ir::Weighted& weighted = *ir::weighted(node.op);
    weighted.weight.value = quant::fake_quantize_weight(
        weighted.weight.value, *made.weights.at(row.bits), weighted.weight_quantizer);
  }
  const quant::QuantizerTable& table = made.network.table;
  const std::vector<double> of_images =
      eval::divergences(float_logits({made.network.graph, table}, meter.batches()),
                        float_logits({rounded, table}, meter.batches()));
  return std::accumulate(of_images.begin(), of_images.end(), 0.0) /
         static_cast<double>(of_images.size());
}

TEST_F(Bits, SensitivityIsThatOfTheNetworkWithOneGroup) {
  const BitCandidates made = candidates({{3}, {4}});
  const LossMeter meter(made.network, *images_, 12, context_);
  const Sensitivity found = measure_sensitivity(made, meter, config_, context_);
  ASSERT_EQ(found.rows.size(), points_of(made).size());
  EXPECT_EQ(found.images, 12);
  for (const SensitivityRow& row : found.rows) {
    EXPECT_TRUE(std::isfinite(row.divergence)) << row.group;
    EXPECT_TRUE(std::isfinite(row.estimate)) << row.group;
    if (row.kind == QuantizerKind::kWeight) {
      const double by_hand = divergence_by_hand(made, meter, row);
      EXPECT_GT(by_hand, 0) << row.group;
      EXPECT_NEAR(row.divergence, by_hand, 1e-3 * by_hand) << row.group;
      EXPECT_GT(row.estimate, 0) << row.group;
    }
  }
}

/// Batches of eight and four images come in any order.
TEST_F(Bits, SensitivityIsTheSameForAnyNumberOfThreads) {
  const BitCandidates made = candidates({{2, 3, 4, 6, 8}, {4, 8}});
  const auto losses = [&](int threads) {
    context_.execution.threads = threads;
    const LossMeter meter(made.network, *images_, 12, context_);
    std::vector<double> numbers;
    for (const SensitivityRow& row : measure_sensitivity(made, meter, config_, context_).rows) {
      numbers.insert(numbers.end(), {row.divergence, row.sqnr, row.estimate});
    }
    return numbers;
  };
  const std::vector<double> alone = losses(1);
  for (int run = 0; run < 3; ++run) EXPECT_EQ(losses(4), alone) << run;
}

TEST_F(Bits, MoreBitsLoseLess) {
  const Sensitivity found =
      ptq::measure_sensitivity(branched_network(), config_, *images_, {{{2, 8}, {2, 8}}, 12});
  std::map<std::string, double> of_two;
  for (const SensitivityRow& row : found.rows) {
    if (row.bits == 2) of_two[row.group] = row.divergence;
    if (row.bits == 8 && row.kind == QuantizerKind::kWeight) {
      EXPECT_LT(row.divergence, of_two.at(row.group)) << row.group;
    }
  }
  EXPECT_GT(rank_correlation(found, QuantizerKind::kWeight).value(), 0.5);
}

/// The least loss within the budgets, by trying all widths. BitBudgets gives the groups that one
/// layer reads one width, which could lose more; here every layer reads activations of one group.
double best_by_trying(const BitCandidates& made, const BitBudgets& budgets,
                      const WidthLosses& losses, Widths widths, size_t at = 0) {
  if (at == budgets.groups().size()) {
    if (!budgets.keeps(widths)) return std::numeric_limits<double>::infinity();
    double sum = 0;
    for (const size_t group : budgets.groups()) sum += losses[group].at(widths[group]);
    return sum;
  }
  const size_t group = budgets.groups()[at];
  double best = std::numeric_limits<double>::infinity();
  for (const int bits : made.groups[group].bits) {
    widths[group] = bits;
    best = std::min(best, best_by_trying(made, budgets, losses, widths, at + 1));
  }
  return best;
}

TEST_F(Bits, AreTheBestWithinTheBudgets) {
  const BitCandidates made = candidates({{2, 4, 8}, {4, 8}});
  WidthLosses losses(made.groups.size());
  for (size_t group = 0; group < made.groups.size(); ++group) {
    for (const int bits : made.groups[group].bits) {
      losses[group][bits] = static_cast<double>((group * 7 + 3) % 11 + 1) * std::exp2(-bits);
    }
  }
  const int64_t all =
      BitBudgets(made, {{}, 1 << 30, {}}).costs(Widths(made.groups.size(), 8)).bytes.value();
  const std::vector<BitBudget> budgets = {{3.3, {}, {}},  {{}, all - 300, {}},    {{}, {}, 0.3},
                                          {3.5, {}, 0.4}, {4.0, all - 300, 0.35}, {8, {}, 1.0}};
  for (const BitBudget& budget : budgets) {
    const BitBudgets limits(made, budget);
    const auto found = limits.solve(losses);
    const double best = best_by_trying(made, limits, losses, limits.configured());
    ASSERT_EQ(found.has_value(), std::isfinite(best));
    if (!found) continue;
    double sum = 0;
    for (const size_t group : limits.groups()) sum += losses[group].at((*found)[group]);
    EXPECT_NEAR(sum, best, 1e-12);
    EXPECT_TRUE(limits.keeps(*found));
    const BitCosts costs = limits.costs(*found);
    EXPECT_LE(costs.mean_weight_bits, budget.mean_weight_bits.value_or(16));
    EXPECT_LE(costs.bytes.value_or(0), budget.bytes.value_or(0));
    EXPECT_LE(costs.bit_operations, budget.bit_operations.value_or(4));
  }
}

/// What is chosen is what placement makes of the list, with costs as they were promised.
TEST_F(Bits, ComeBackAsLayerBits) {
  BitSearchOptions options;
  options.sensitivity = {{{2, 4, 8}, {4, 8}}, 12};
  options.budget = {4.0, {}, 0.4};
  const BitAssignment found = search_bits(branched_network(), config_, *images_, options);
  EXPECT_LE(found.costs.mean_weight_bits, 4.0);
  EXPECT_LE(found.costs.bit_operations, 0.4);
  config_.layer_bits = found.layer_bits;
  const QuantizedNetwork made = ptq::quantize(branched_network(), config_, *images_);
  double bits = 0, weights = 0, operations = 0, products = 0;
  for (const passes::LayerCost& layer : passes::layer_costs(made.graph)) {
    const int own = quant::bit_width(made.table.at(layer.weight_quantizer).format);
    const int input = quant::bit_width(made.table.at(layer.inputs.at(0)).format);
    bits += static_cast<double>(layer.weight.numel()) * own;
    weights += static_cast<double>(layer.weight.numel());
    operations += static_cast<double>(layer.products) * own * input;
    products += static_cast<double>(layer.products);
  }
  EXPECT_NEAR(bits / weights, found.costs.mean_weight_bits, 1e-9);
  EXPECT_NEAR(operations / products / 64, found.costs.bit_operations, 1e-9);
}

TEST_F(Bits, LoseNoMoreThanTheUniformWidth) {
  BitSearchOptions options;
  options.sensitivity = {{{2, 3, 4, 6, 8}, {}}, 12};
  options.budget.mean_weight_bits = 4;
  const BitAssignment found = search_bits(branched_network(), config_, *images_, options);
  EXPECT_EQ(found.uniform_bits, 4);
  EXPECT_LE(found.divergence, found.uniform_divergence.value());
  EXPECT_LE(found.divergence, found.steps.front());
}

TEST_F(Bits, OfBudgetsBelowTheNarrowestAreRefusedByName) {
  const auto field_of = [&](const BitBudget& budget) -> std::string {
    try {
      search_bits(branched_network(), config_, *images_, {{{{4, 8}, {8}}, 8}, budget});
    } catch (const InvalidOption& error) {
      return error.field;
    }
    return "";
  };
  EXPECT_EQ(field_of({3.9, {}, {}}), "budget.mean_weight_bits");
  EXPECT_EQ(field_of({{}, 100, {}}), "budget.bytes");
  EXPECT_EQ(field_of({{}, {}, 0.4}), "budget.bit_operations");
}

TEST_F(Bits, OfMinifloatsAreRefused) {
  config_.numbers = NumberKind::kMinifloat;
  EXPECT_THROW(candidates(), InvalidOption);
}

TEST_F(Bits, OfScalesFromAFileAreRefused) {
  config_.quantizers_file = "quantizers.json";
  EXPECT_THROW(candidates(), InvalidOption);
}

TEST_F(Bits, OfWeightsAloneLeaveActivationsOut) {
  config_.activations.reset();
  const BitCandidates made = candidates();
  EXPECT_THAT(made.activations, IsEmpty());
  for (const CandidateGroup& group : made.groups) {
    EXPECT_EQ(group.group.kind, QuantizerKind::kWeight);
  }
}

}  // namespace
}  // namespace ptq::workflow
