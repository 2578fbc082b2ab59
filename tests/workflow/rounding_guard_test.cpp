// A technique that makes the whole network worse is undone; images that it never saw tell.
#include "workflow/rounding_guard.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "ptq/quantize.h"
#include "support/graph_builder.h"

namespace ptq::workflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Guarding : public ::testing::Test {
 protected:
  Guarding() {
    ptq::testing::GraphBuilder net({3, 4, 4});
    const auto features = net.add(ir::Relu{}, {net.conv(net.input(), 6)});
    QuantizeConfig config;
    config.activations.reset();
    config.correct_biases = false;
    network_ = quantize(net.finish(net.linear(net.flatten(features), 5)), config);
    report_.layers.resize(2);
    report_.layers[0].error_before = 0.5;
  }

  /// Batches of so many images each, through the guard: what it leaves of them.
  std::vector<int64_t> left_of(RoundingGuard& guard, const std::vector<int64_t>& sizes) {
    size_t at = 0;
    const passes::NextBatch rest = guard.rest_of([&]() -> std::optional<at::Tensor> {
      if (at == sizes.size()) return std::nullopt;
      const auto seed = static_cast<int>(at);
      return ptq::testing::normals({sizes[at++], 3, 4, 4}, 1, seed);
    });
    std::vector<int64_t> left;
    while (const auto batch = rest()) left.push_back(batch->size(0));
    return left;
  }

  /// Judges `after` against `before`; the float network is what was made.
  void judge(const passes::OriginalWeights& before, const passes::OriginalWeights& after) {
    const passes::OriginalWeights originals = passes::weights_of(network_.graph);
    RoundingGuard guard(0.2);
    left_of(guard, {40});
    passes::set_weights(network_.graph, after);
    Silence silence;
    RecordingLog log(silence);
    Session session;
    const Context context{runtime::resolved({1}), log, session};
    guard.judge(network_, before, originals, report_, context);
    warnings_ = log.warnings;
  }

  /// Turned upside down, they are as wrong as can be.
  static passes::OriginalWeights wrong(passes::OriginalWeights weights) {
    for (auto& [layer, weight] : weights) weight = weight.neg();
    return weights;
  }

  QuantizedNetwork network_;
  RoundingReport report_{"qronos", {}};
  std::vector<std::string> warnings_;
};

TEST_F(Guarding, KeepsAShareOfEachBatchAside) {
  RoundingGuard guard(0.2);
  EXPECT_THAT(left_of(guard, {10, 10, 5}), ElementsAre(8, 8, 4));
}

/// One image a batch: some batches are kept aside whole.
TEST_F(Guarding, KeepsAShareOfSmallBatchesAside) {
  RoundingGuard guard(0.25);
  EXPECT_THAT(left_of(guard, std::vector<int64_t>(12, 1)), ElementsAre(1, 1, 1, 1, 1, 1, 1, 1, 1));
}

TEST_F(Guarding, KeepsNoMoreAsideThanItTakes) {
  RoundingGuard guard(0.5);
  EXPECT_THAT(left_of(guard, {100, 100, 100}), ElementsAre(50, 86, 100));
}

TEST_F(Guarding, UndoesWhatDoesHarm) {
  const passes::OriginalWeights nearest = passes::weights_of(network_.graph);
  judge(nearest, wrong(nearest));
  for (const auto& [layer, weight] : passes::weights_of(network_.graph)) {
    EXPECT_TRUE(at::equal(weight, nearest.at(layer))) << layer;
  }
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("qronos is not used")));
  EXPECT_EQ(report_.layers[0].left, "worse than the nearest codes as a whole network");
  EXPECT_EQ(report_.layers[0].error_after, 0.5);
}

TEST_F(Guarding, LeavesWhatHelps) {
  const passes::OriginalWeights better = passes::weights_of(network_.graph);
  judge(wrong(better), better);
  for (const auto& [layer, weight] : passes::weights_of(network_.graph)) {
    EXPECT_TRUE(at::equal(weight, better.at(layer))) << layer;
  }
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_THAT(report_.layers[0].left, IsEmpty());
}

}  // namespace
}  // namespace ptq::workflow
