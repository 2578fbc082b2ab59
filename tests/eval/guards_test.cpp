#include "eval/guards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "support/graph_builder.h"

namespace ptq::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// `correct` right of `count`, predictions that differ from each other.
Evaluation evaluation_of(int64_t count, int64_t correct, int64_t classes) {
  Evaluation evaluation;
  evaluation.classes = classes;
  evaluation.accuracy = {count, correct, correct};
  for (int64_t i = 0; i < count; ++i) {
    evaluation.predictions.push_back(i % classes);
    evaluation.fingerprints.push_back(static_cast<uint64_t>(i));
  }
  return evaluation;
}

TEST(Suspicions, AreSilentForAnOrdinaryResult) {
  EXPECT_THAT(suspicions("float", evaluation_of(300, 247, 1000)), IsEmpty());
}

// 100 images, 10 classes: guessing gives 10 with deviation 3, so 19 is within three of them.
TEST(Suspicions, NameAccuracyAtChance) {
  EXPECT_THAT(suspicions("quantized", evaluation_of(100, 19, 10)),
              ElementsAre("the quantized network is no better than guessing: 19 of 100 images "
                          "right with 10 classes"));
  EXPECT_THAT(suspicions("quantized", evaluation_of(100, 20, 10)), IsEmpty());
}

TEST(Suspicions, JudgeNothingFromFewImages) {
  EXPECT_THAT(suspicions("float", evaluation_of(19, 0, 10)), IsEmpty());
}

TEST(Suspicions, NameASingleAnswerAndLogitsThatAreNotFinite) {
  Evaluation evaluation = evaluation_of(30, 20, 10);
  evaluation.predictions.assign(30, 4);
  evaluation.not_finite = 2;
  EXPECT_THAT(suspicions("float", evaluation),
              ElementsAre(HasSubstr("every image the same class"),
                          HasSubstr("not finite for 2 of 30 images")));
}

TEST(SuspicionsOfPair, NameIdenticalLogits) {
  const Evaluation one = evaluation_of(30, 20, 10);
  EXPECT_THAT(suspicions_of_pair(one, one), ElementsAre(HasSubstr("nothing was quantized")));
  Evaluation other = one;
  other.fingerprints[7] = 1234;
  EXPECT_THAT(suspicions_of_pair(one, other), IsEmpty());
  EXPECT_THAT(suspicions_of_pair({}, {}), IsEmpty());
}

/// A convolution `conv` behind a quantizer `act`, with these scales.
std::vector<std::string> suspicions_with(const at::Tensor& activation, const at::Tensor& weight) {
  ptq::testing::GraphBuilder builder;
  quant::Quantizer quantizer;
  const ir::QuantizerId act = builder.table.add(quantizer);
  quantizer.kind = quant::QuantizerKind::kWeight;
  const ir::QuantizerId of_weight = builder.table.add(quantizer);
  builder.table.scale_of(act).value = activation;
  builder.table.scale_of(of_weight).value = weight;
  ir::Conv conv;
  conv.weight_quantizer = of_weight;
  builder.graph.nodes.push_back({"act", "act", ir::FakeQuantize{act}, {0}, {1}});
  builder.graph.nodes.push_back({"conv", "conv", conv, {1}, {2}});
  return suspicions_of_scales({builder.graph, builder.table});
}

at::Tensor scales(std::vector<float> values) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size())}).clone();
}

TEST(SuspicionsOfScales, AreSilentForOrdinaryAndForDynamicScales) {
  EXPECT_THAT(suspicions_with(scales({0.1F}), scales({0.01F})), IsEmpty());
  EXPECT_THAT(suspicions_with({}, scales({0.01F})), IsEmpty());
}

TEST(SuspicionsOfScales, NameWhatWasZeroThroughout) {
  EXPECT_THAT(suspicions_with(scales({1e-10F}), scales({0.01F})),
              ElementsAre("act has a zero scale: its values were zero on all calibration images"));
  // 2^-33 is the smallest power of two a threshold of 1e-10 gives.
  EXPECT_THAT(suspicions_with(scales({0.1F}), scales({1.1641532e-10F, 1e-10F})),
              ElementsAre("conv has a zero scale: its weights are all zero"));
}

TEST(SuspicionsOfScales, LetSomeChannelsBeZero) {
  EXPECT_THAT(suspicions_with(scales({0.1F}), scales({0.01F, 1e-10F})), IsEmpty());
}

TEST(SuspicionsOfScales, NameAScaleThatIsNotFinite) {
  EXPECT_THAT(suspicions_with(scales({std::numeric_limits<float>::infinity()}), scales({1})),
              ElementsAre("act has a scale that is not finite"));
}

TEST(SuspicionsOfLayers, SayHowFarItReaches) {
  EXPECT_THAT(suspicions_of_layers(std::nullopt), IsEmpty());
  EXPECT_THAT(suspicions_of_layers(ConstantLayer{"conv1", false, 0}),
              ElementsAre("conv1 gives the same output for every image"));
  EXPECT_THAT(
      suspicions_of_layers(ConstantLayer{"conv1", true, 3}),
      ElementsAre("conv1 gives the same output for every image, zero everywhere, and so do 3 "
                  "layers and quantizers behind it"));
}

}  // namespace
}  // namespace ptq::eval
