#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "golden/comparison.h"
#include "golden/reference_flags.h"
#include "support/program.h"
#include "support/temporary_folder.h"

// Four-bit weights rounded by GPTQ, GPFQ, Qronos and learned rounding, on real models and images,
// held against what the reference reached. Codes near a boundary flip with the order of sums and
// the layers behind make up for it, so that logits are compared with the float ones, not with each
// other.
namespace ptq::golden {
namespace {

using nlohmann::json;

/// Mean over rows of the signal to noise ratio of `logits` for `truth`, in dB.
double mean_sqnr(const Matrix& logits, const Matrix& truth) {
  double sum = 0;
  for (int64_t row = 0; row < truth.rows; ++row) {
    double signal = 0, noise = 0;
    for (int64_t i = row * truth.columns; i < (row + 1) * truth.columns; ++i) {
      const double value = truth.values[static_cast<size_t>(i)];
      const double error = logits.values[static_cast<size_t>(i)] - value;
      signal += value * value;
      noise += error * error;
    }
    sum += 10 * std::log10(signal / noise);
  }
  return sum / static_cast<double>(truth.rows);
}

class RoundingParity : public ::testing::TestWithParam<const char*> {
 protected:
  static std::string model() {
    const std::string name = GetParam();
    return name.substr(0, name.find('-'));
  }
};

TEST_P(RoundingParity, IsReached) {
  const char* data = std::getenv("PTQ_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
  const std::string root = data, golden = root + "/golden/" + GetParam();
  const std::string images = root + "/data/imagenet-sample/";
  const support::TemporaryFolder folder;
  const json reference = json::parse(support::content_of(golden + ".json"));
  std::vector<std::string> words = reference_flags(reference.at("options"));
  words.insert(words.end(), {"--model", root + "/models/" + model() + ".pt", "--calibration-dir",
                             images + "calibration", "--validation-dir", images + "validation",
                             "--skip-float", "--report", folder.path() + "/report.json",
                             "--dump-logits", folder.path() + "/logits.npy"});
  const support::ProgramResult result = support::run_program(PTQ_PROGRAM, words);
  ASSERT_EQ(result.exit_code, 0) << result.err;

  const json report = json::parse(support::content_of(folder.path() + "/report.json"));
  const int right = report.at("quantized").at("correct"), wanted = reference.at("correct");
  EXPECT_GE(right, wanted - 4);
  const json& techniques = report.at("techniques");
  const bool is_learned = techniques.contains("learned_round");
  const json& layers = is_learned ? techniques.at("learned_round")
                                  : techniques.at("round_weights").at(0).at("layers");
  EXPECT_FALSE(layers.empty());
  for (const json& layer : layers) {
    EXPECT_GE(layer.at("error_after"), 0) << layer.at("name");
    if (!is_learned) continue;
    EXPECT_LE(layer.at("error_after"), layer.at("error_before")) << layer.at("name");
  }
  const Matrix truth = read_npy(root + "/golden/" + model() + "-float.logits64.npy");
  const Matrix theirs = read_npy(golden + ".logits64.npy");
  const Matrix ours = head(read_npy(folder.path() + "/logits.npy"), truth.rows);
  const double sqnr = mean_sqnr(ours, truth), wanted_sqnr = mean_sqnr(theirs, truth);
  EXPECT_GE(sqnr, wanted_sqnr - 0.3);
  std::printf("  right %d (reference %d), SQNR %.2f dB (%.2f dB)\n", right, wanted, sqnr,
              wanted_sqnr);
}

INSTANTIATE_TEST_SUITE_P(Reference, RoundingParity,
                         ::testing::Values("squeezenet1_1-round-w4-perchannel-gptq",
                                           "squeezenet1_1-round-w4-perchannel-gptq-actorder",
                                           "squeezenet1_1-round-w4-pertensor-gptq-quantact",
                                           "squeezenet1_1-round-w4-perchannel-gpfq",
                                           "squeezenet1_1-round-w4-perchannel-qronos",
                                           "squeezenet1_1-round-layerwise-w4-learned",
                                           "mobilenet_v2-round-w4-perchannel-gptq",
                                           "vit_tiny_16-round-layerwise-w4-perchannel-gptq"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace ptq::golden
