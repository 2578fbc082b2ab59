#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <ostream>

#include "golden/comparison.h"
#include "support/program.h"
#include "support/temporary_folder.h"

namespace ptq::golden {
namespace {

using nlohmann::json;
using testing::IsEmpty;

enum class Executor { kPlan, kInterpreter };

/// A model of the shared test data, how many of 300 images its float network gets right, and how
/// near the quantized one can be expected to come.
///
/// Where a float32 sum is rounded differently in its last bit, a few values fall on the other side
/// of a rounding boundary, by a whole code; the next layers multiply such flips until, after some
/// ten layers, the quantization noise is another draw of the same size. The interpreter on the
/// vector instructions that made the figures sums in their order and gives their logits. The plan
/// sums in its own: SqueezeNet is shallow and stays put; MobileNetV2 comes to a cosine of 0.988 and
/// 231 to 234 right, depending on the processor; the ViT, whose residual stream has collapsed, to
/// 0.79. Scales do not suffer: calibration runs in float.
struct Case {
  const char* model;
  Executor executor;
  int float_correct;
  double cosine;
  int correct_within;

  std::string name() const {
    return model + std::string(executor == Executor::kPlan ? "_plan" : "_interpreter");
  }
};

std::ostream& operator<<(std::ostream& out, const Case& tested) { return out << tested.name(); }

/// 8 bits everywhere, no equalization, no bias correction: one run of the program a case.
class PlainW8A8 : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const char* data = std::getenv("PTQ_TEST_DATA");
    if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
    data_ = data;
    // Inherited by the program: the instructions that made the figures.
    if (GetParam().executor == Executor::kInterpreter) setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
  }
  void TearDown() override { unsetenv("ONEDNN_MAX_CPU_ISA"); }

  std::string golden_file(const std::string& rest) const {
    return data_ + "/golden/" + GetParam().model + "-" + rest;
  }

  std::vector<std::string> arguments(const json& options) const {
    const std::string images = data_ + "/data/imagenet-sample/";
    return {"--model",
            data_ + "/models/" + GetParam().model + ".pt",
            "--calibration-dir",
            images + "calibration",
            "--validation-dir",
            images + "validation",
            "--calibration-sampling",
            "first",
            "--calibration-samples",
            options.at("calibration_samples").dump(),
            "--batch-size-calibration",
            options.at("batch_size_calibration").dump(),
            "--batch-size-validation",
            options.at("batch_size_validation").dump(),
            "--workers",
            "2",
            GetParam().executor == Executor::kPlan ? "--compile" : "--no-compile",
            "--report",
            folder_.path() + "/report.json",
            "--dump-quantizers",
            folder_.path() + "/quantizers.json",
            "--dump-logits",
            folder_.path() + "/logits.npy",
            "--dump-float-logits",
            folder_.path() + "/float.npy"};
  }

  json written(const std::string& name) const {
    return json::parse(support::content_of(folder_.path() + "/" + name));
  }

  std::string data_;
  support::TemporaryFolder folder_;
};

TEST_P(PlainW8A8, MatchesTheReference) {
  const json reference = json::parse(support::content_of(golden_file("w8a8-plain.json")));
  const support::ProgramResult result =
      support::run_program(PTQ_PROGRAM, arguments(reference.at("options")));
  ASSERT_EQ(result.exit_code, 0) << result.err;

  const json report = written("report.json");
  EXPECT_EQ(report.at("count"), reference.at("images"));
  EXPECT_EQ(report.at("float").at("correct"), GetParam().float_correct);
  const Matrix golden_float = read_npy(golden_file("float.logits64.npy"));
  const Matrix ours_float = head(read_npy(folder_.path() + "/float.npy"), golden_float.rows);
  EXPECT_LE(relative_error(ours_float, golden_float), 1e-3);

  EXPECT_THAT(differences(written("quantizers.json"), reference, 1e-4), IsEmpty());
  EXPECT_NEAR(report.at("quantized").at("correct").get<double>(),
              reference.at("correct").get<double>(), GetParam().correct_within);
  const Matrix golden = read_npy(golden_file("w8a8-plain.logits64.npy"));
  const Matrix ours = head(read_npy(folder_.path() + "/logits.npy"), golden.rows);
  EXPECT_GE(cosine(ours, golden), GetParam().cosine);
  RecordProperty("float_error", std::to_string(relative_error(ours_float, golden_float)));
  RecordProperty("cosine", std::to_string(cosine(ours, golden)));
}

INSTANTIATE_TEST_SUITE_P(
    SharedModels, PlainW8A8,
    testing::Values(Case{"squeezenet1_1", Executor::kPlan, 173, 0.9999, 1},
                    Case{"squeezenet1_1", Executor::kInterpreter, 173, 0.999999, 0},
                    Case{"mobilenet_v2", Executor::kPlan, 247, 0.98, 3},
                    Case{"mobilenet_v2", Executor::kInterpreter, 247, 0.999999, 0},
                    Case{"vit_tiny_16", Executor::kPlan, 245, 0.7, 1}),
    [](const auto& tested) { return tested.param.name(); });

}  // namespace
}  // namespace ptq::golden
