#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "passes/pass.h"
#include "ptq/passes/equalize.h"
#include "ptq/passes/split_channels.h"
#include "runtime/execute_op.h"
#include "support/batches.h"
#include "support/random_network.h"
#include "support/run_graph.h"

// Passes that keep a network's function, on networks nobody thought of.
namespace ptq::passes {
namespace {

constexpr unsigned kNetworks = 512;
constexpr int64_t kImages = 2;
/// Of the largest logit.
constexpr double kTolerance = 1e-4;

struct Network {
  unsigned seed;
  ir::Graph graph;
  at::Tensor images, logits;
};

/// Other techniques meet them merged in every second network.
void merge_batch_norms(ir::Graph& graph) {
  CollapseConcats().run(graph);
  MoveBatchNormBeforeConcat().run(graph);
  MergeBatchNorm().run(graph);
}

std::vector<Network> make_networks() {
  std::vector<Network> networks;
  for (unsigned seed = 0; seed < kNetworks; ++seed) {
    Network network{seed, ptq::testing::random_network(seed), {}, {}};
    network.images = ptq::testing::images_for(network.graph, kImages);
    network.logits = ptq::testing::run_float(network.graph, network.images);
    networks.push_back(std::move(network));
  }
  return networks;
}

const std::vector<Network>& networks() {
  static const std::vector<Network> all = make_networks();
  return all;
}

/// Values must have the shapes the graph says.
at::Tensor run_checking_shapes(const ir::Graph& graph, const at::Tensor& images) {
  std::unordered_map<ir::ValueId, at::Tensor> values{{graph.input, images}};
  for (const ir::Node& node : graph.nodes) {
    std::vector<at::Tensor> inputs;
    for (const ir::ValueId input : node.inputs) inputs.push_back(values.at(input));
    const at::Tensor made = runtime::execute_op(node.op, inputs, images.size(0));
    const ir::Dims& shape = graph.values[static_cast<size_t>(node.output())].shape;
    EXPECT_EQ(made.sizes().vec(), ir::at_batch(shape, images.size(0))) << node.name;
    values[node.output()] = made;
  }
  return values.at(graph.output);
}

/// What a technique did to one network; whether it changed it.
struct Tally {
  int changed = 0;
  double largest = 0;

  void add(const Network& network, const ir::Graph& graph, bool has_changed) {
    ir::verify(graph);
    const double difference = ptq::testing::relative_difference(
        run_checking_shapes(graph, network.images), network.logits);
    EXPECT_LT(difference, kTolerance) << "seed " << network.seed << "\n" << ir::to_text(graph);
    changed += has_changed ? 1 : 0;
    largest = std::max(largest, difference);
  }

  /// At least `share` of the networks must have been changed, or there was no test.
  void expect_changed(double share) const {
    std::printf("changed %d of %u networks, largest difference %.1e of the largest logit\n",
                changed, kNetworks, largest);
    EXPECT_GE(changed, share * kNetworks);
  }
};

TEST(RandomNetworks, KeepTheirOutputWhenBatchNormsAreMerged) {
  Tally merged;
  int moved = 0, collapsed = 0;
  for (const Network& network : networks()) {
    ir::Graph graph = network.graph;
    collapsed += CollapseConcats().run(graph);
    moved += MoveBatchNormBeforeConcat().run(graph);
    merged.add(network, graph, MergeBatchNorm().run(graph) > 0);
  }
  merged.expect_changed(0.7);
  std::printf("%d batch norms moved before concats, %d concats collapsed\n", moved, collapsed);
  EXPECT_GE(moved, 20);
  EXPECT_GE(collapsed, 20);
}

/// With biases, how much they count jumps (passes/equalization/weight_ratios.h): the last small
/// step of a run may carry a layer over a threshold, and a second run moves anew. That is the
/// rule's own doing.
class EqualizedNetworks : public ::testing::TestWithParam<MergeBias> {};

TEST_P(EqualizedNetworks, KeepTheirOutputAndStayEqualized) {
  constexpr int kIterations = 1000;
  Tally tally;
  int smaller = 0, unsettled = 0, moved_again = 0;
  for (const Network& network : networks()) {
    ir::Graph graph = network.graph;
    if (network.seed % 2 == 0) merge_batch_norms(graph);
    const EqualizationReport report = equalize_graph(graph, {kIterations, GetParam(), {}});
    tally.add(network, graph, report.layers > 0);
    smaller += report.range_ratio_after < 0.5 * report.range_ratio_before ? 1 : 0;
    unsettled += report.converged ? 0 : 1;
    if (equalize_graph(graph, {kIterations, GetParam(), {}}).layers == 0) continue;
    ++moved_again;
    if (GetParam() == MergeBias::kNo) ADD_FAILURE() << "moves again: seed " << network.seed;
  }
  tally.expect_changed(0.9);
  std::printf("largest range ratio halved in %d, %d did not settle, %d moved again\n", smaller,
              unsettled, moved_again);
  EXPECT_GE(smaller, 0.5 * kNetworks);
  EXPECT_EQ(unsettled, 0);
  EXPECT_LE(moved_again, 0.005 * kNetworks);
}

INSTANTIATE_TEST_SUITE_P(WithoutAndWithBiases, EqualizedNetworks,
                         ::testing::Values(MergeBias::kNo, MergeBias::kYes),
                         [](const auto& tested) {
                           return tested.param == MergeBias::kYes ? "MergeBias" : "WeightsAlone";
                         });

class ActivationEqualizedNetworks : public ::testing::TestWithParam<ActivationEqualization> {};

TEST_P(ActivationEqualizedNetworks, KeepTheirOutput) {
  Tally tally;
  int smaller = 0;
  for (const Network& network : networks()) {
    ir::Graph graph = network.graph;
    if (network.seed % 2 == 0) merge_batch_norms(graph);
    ActivationEqualizationOptions options;
    options.mode = GetParam();
    options.execution.compile = false;
    const auto report =
        equalize_activations(graph, options, ptq::testing::batches_of({network.images}));
    tally.add(network, graph, !report.regions.empty());
    smaller += report.range_ratio_after < report.range_ratio_before ? 1 : 0;
  }
  tally.expect_changed(0.7);
  std::printf("largest range ratio smaller in %d\n", smaller);
}

INSTANTIATE_TEST_SUITE_P(Modes, ActivationEqualizedNetworks,
                         ::testing::Values(ActivationEqualization::kGraph,
                                           ActivationEqualization::kLayerwise),
                         [](const auto& tested) {
                           return tested.param == ActivationEqualization::kGraph ? "Graph"
                                                                                 : "Layerwise";
                         });

class SplitNetworks : public ::testing::TestWithParam<Side> {};

TEST_P(SplitNetworks, KeepTheirOutput) {
  Tally tally;
  for (const Network& network : networks()) {
    ir::Graph graph = network.graph;
    if (network.seed % 2 == 0) merge_batch_norms(graph);
    const double ratio = 0.1 + 0.3 * (network.seed % 4);
    const SplittingReport report = split_channels(graph, {ratio, GetParam(), {}});
    tally.add(network, graph, report.channels > 0);
  }
  tally.expect_changed(0.3);
}

INSTANTIATE_TEST_SUITE_P(Sides, SplitNetworks, ::testing::Values(Side::kOutput, Side::kInput),
                         [](const auto& tested) {
                           return tested.param == Side::kOutput ? "Output" : "Input";
                         });

}  // namespace
}  // namespace ptq::passes
