#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "golden/chance.h"
#include "golden/comparison.h"
#include "golden/golden_run.h"

// The program against what the reference gave on real models and images. What must agree:
//
// - Scales and zero points, tightly: calibration runs in float, where nothing multiplies a last
// bit.
// - The noise of the logits: their signal-to-noise ratio for the float logits is a mean over 64
//   images and a thousand classes, and hardly a matter of chance.
// - The right answers, as far as chance leaves them (chance.h).
//
// What can run on integers runs so a second time, with the scales of the first run.
//
// With PTQ_PARITY_TABLE set to a file, each case appends its row to it (results/parity.md).
namespace ptq::golden {
namespace {

using nlohmann::json;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

/// Float32 rounds to 6e-8; sums of thousands, in an order of their own, stay far below this.
constexpr double kScaleTolerance = 1e-4;
/// dB. Two draws of the noise of a deep network differ by up to 0.2; a technique left out costs
/// more.
constexpr double kLessSqnr = 0.3;
/// Of the largest logit: what float32 sums in other orders leave of 50 layers.
constexpr double kFloatTolerance = 1e-4;

enum class Executor { kPlan, kInterpreter };

struct Case {
  const char* name;
  Executor executor = Executor::kPlan;

  const char* flag() const { return executor == Executor::kPlan ? "--compile" : "--no-compile"; }
  const char* word() const { return executor == Executor::kPlan ? "plan" : "interpreter"; }
};

std::ostream& operator<<(std::ostream& out, const Case& tested) { return out << tested.name; }

const std::vector<Case> kCases = {
    {"squeezenet1_1-w8a8-plain"},
    {"squeezenet1_1-w8a8-plain", Executor::kInterpreter},
    {"mobilenet_v2-w8a8-plain"},
    {"mobilenet_v2-w8a8-plain", Executor::kInterpreter},
    {"vit_tiny_16-w8a8-plain"},
    {"squeezenet1_1-w8a8-default"},
    {"mobilenet_v2-w8a8-default"},
    {"vit_tiny_16-w8a8-default"},
    {"mobilenet_v2-graph-flexml-default"},
    {"mobilenet_v2-graph-layerwise-default"},
    {"mobilenet_v2-graph-split"},
    {"vit_tiny_16-graph-acteq-fx"},
    {"vit_tiny_16-graph-acteq-layerwise"},
    {"squeezenet1_1-backend-flexml-po2-b16"},
    {"squeezenet1_1-fmt-asym"},
    {"squeezenet1_1-fmt-hqo-w4"},
    {"squeezenet1_1-fmt-hqo-w4-asym"},
    {"squeezenet1_1-fmt-layerwise-firstlast4"},
    {"squeezenet1_1-fmt-layerwise-mxfp8"},
    {"squeezenet1_1-fmt-layerwise-ocp-e4m3"},
    {"squeezenet1_1-fmt-mse"},
    {"squeezenet1_1-fmt-mse-w4-perchannel"},
    {"squeezenet1_1-fmt-narrow-b16-p999"},
    {"squeezenet1_1-fmt-po2"},
    {"squeezenet1_1-fmt-signed-acts-a6"},
    {"squeezenet1_1-fmt-weight-asym-narrow"},
    {"mobilenet_v2-backend-flexml"},
    {"mobilenet_v2-backend-layerwise"},
    {"mobilenet_v2-fmt-w4-perchannel"},
    {"vit_tiny_16-backend-layerwise"},
    {"vit_tiny_16-fmt-asym"},
    {"squeezenet1_1-round-layerwise-w4-nearest"},
    {"squeezenet1_1-round-w4-perchannel-gptq"},
    {"squeezenet1_1-round-w4-perchannel-gptq-actorder"},
    {"squeezenet1_1-round-w4-pertensor-gptq-quantact"},
    {"squeezenet1_1-round-w4-perchannel-gpfq"},
    {"squeezenet1_1-round-w4-perchannel-qronos"},
    {"squeezenet1_1-round-layerwise-w4-learned"},
    {"mobilenet_v2-round-w4-perchannel-gptq"},
    {"vit_tiny_16-round-layerwise-w4-perchannel-gptq"},
};

void append_row(const Case& tested, const Nearness& near, const std::optional<Nearness>& integers) {
  const char* path = std::getenv("PTQ_PARITY_TABLE");
  if (path == nullptr) return;
  char row[256], more[64] = "| | |";
  std::snprintf(row, sizeof row, "| %s | %s | %.1e | %.2f | %.2f | %d | %d | %.1f | %.2g | %.6f ",
                tested.name, tested.word(), near.scale_error, near.sqnr, near.reference_sqnr,
                near.right, near.reference_right, near.discordant, near.chance, near.cosine);
  if (integers) std::snprintf(more, sizeof more, "| %.2f | %d |", integers->sqnr, integers->right);
  std::ofstream(path, std::ios::app) << row << more << "\n";
}

/// The noise of the reference, and right answers that a draw of it may have.
void expect_near(const Nearness& near) {
  if (near.is_collapse()) return;
  EXPECT_GE(near.sqnr, near.reference_sqnr - kLessSqnr);
  // With less noise than the reference's it is no draw of the same, and may have more right.
  if (near.sqnr > near.reference_sqnr + kLessSqnr && near.right > near.reference_right) return;
  EXPECT_GE(near.chance, kLeastChance)
      << near.right << " right, the reference " << near.reference_right << ", with "
      << near.discordant << " images in doubt";
}

/// The float network: its logits, and its answers where no margin is so small that what logits
/// differ by could turn it. Other images may move twice as far as the 64 that are known.
void expect_same_float(const Outcome& ours, const Reference& reference) {
  static const std::map<std::string, int> kRight = {
      {"squeezenet1_1", 173}, {"mobilenet_v2", 247}, {"vit_tiny_16", 245}};
  const Matrix logits = head(ours.float_logits, reference.float_logits.rows);
  EXPECT_LE(relative_error(logits, reference.float_logits), kFloatTolerance);
  const double move = 2 * 2 * largest_difference(logits, reference.float_logits);
  const std::vector<double> all = margins(ours.float_logits, ours.labels);
  const auto in_doubt =
      std::count_if(all.begin(), all.end(), [&](double one) { return std::abs(one) <= move; });
  const std::string model = reference.figures.at("model");
  EXPECT_LE(std::abs(ours.right("float") - kRight.at(model)), in_doubt);
}

/// Learned roundings are kept only where they are better than the nearest codes.
void expect_rounded(const json& techniques) {
  const bool is_learned = techniques.contains("learned_round");
  if (!is_learned && !techniques.contains("round_weights")) return;
  const json& layers = is_learned ? techniques.at("learned_round")
                                  : techniques.at("round_weights").at(0).at("layers");
  EXPECT_FALSE(layers.empty());
  for (const json& layer : layers) {
    EXPECT_GE(layer.at("error_after"), 0) << layer.at("name");
    if (!is_learned) continue;
    EXPECT_LE(layer.at("error_after"), layer.at("error_before")) << layer.at("name");
  }
}

class Parity : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const char* data = std::getenv("PTQ_TEST_DATA");
    if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
    data_ = data;
  }

  std::string data_;
};

TEST_P(Parity, IsReached) {
  const Reference reference = read_reference(data_, GetParam().name);
  const Outcome ours = run_like(reference, data_, {GetParam().flag()});
  expect_same_float(ours, reference);
  EXPECT_THAT(differences(ours.quantizers, reference.figures, kScaleTolerance), IsEmpty());
  EXPECT_EQ(ours.report.at("count"), reference.figures.at("images"));
  expect_rounded(ours.report.at("techniques"));
  const Nearness near = nearness(ours, reference);
  std::optional<Nearness> on_integers;
  if (GetParam().executor == Executor::kPlan && is_for_integers(reference)) {
    const Outcome integers = run_on_integers(reference, data_, ours);
    on_integers = nearness(integers, reference);
    EXPECT_GT(integers.report.at("arithmetic").at("on_integers"), 0);
    std::printf("  on integers SQNR %.2f dB, right %d\n", on_integers->sqnr, on_integers->right);
    expect_near(*on_integers);
  }
  append_row(GetParam(), near, on_integers);
  std::printf("  SQNR %.2f dB (reference %.2f), right %d (%d), %.1f images in doubt\n", near.sqnr,
              near.reference_sqnr, near.right, near.reference_right, near.discordant);
  expect_near(near);
}

INSTANTIATE_TEST_SUITE_P(Reference, Parity, ::testing::ValuesIn(kCases), [](const auto& tested) {
  std::string name = std::string(tested.param.name) + "_" + tested.param.word();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

/// Where the reference is wrong its figures are not to be matched.
TEST(Golden, HasACaseForEachConfigurationOfTheReference) {
  const char* data = std::getenv("PTQ_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
  std::set<std::string> stored, compared;
  for (const auto& file : std::filesystem::directory_iterator(std::string(data) + "/golden")) {
    const std::string name = file.path().stem().string();
    const bool is_wrong = name.find("-defect-") != std::string::npos;
    if (file.path().extension() == ".json" && !is_wrong) stored.insert(name);
  }
  for (const Case& tested : kCases) compared.insert(tested.name);
  EXPECT_THAT(compared, ElementsAreArray(stored));
}

/// The reference's own MXINT8 saturates and gets nothing right. By OCP's rule a value has 6 to 7
/// bits below the largest of its block, 40 dB and more in each layer, of which a network of 26
/// leaves 30; the images that then change sides do so either way.
TEST(Mxint8, CostsNextToNothing) {
  const char* data = std::getenv("PTQ_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
  const Reference reference = read_reference(data, "squeezenet1_1-defect-layerwise-mxint8");
  const Outcome ours = run_like(reference, data, {});
  const double sqnr = mean_sqnr(ours.float_logits, ours.logits);
  const std::vector<double> before = margins(ours.float_logits, ours.labels);
  const std::vector<double> after = margins(ours.logits, ours.labels);
  int gained = 0, lost = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    gained += before[i] <= 0 && after[i] > 0 ? 1 : 0;
    lost += before[i] > 0 && after[i] <= 0 ? 1 : 0;
  }
  std::printf("  SQNR %.2f dB, %d images gained, %d lost\n", sqnr, gained, lost);
  EXPECT_GE(sqnr, 30);
  EXPECT_GE(chance_of_coins(gained - lost, gained + lost), kLeastChance);
}

}  // namespace
}  // namespace ptq::golden
