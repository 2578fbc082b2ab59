#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "cli/program_fixture.h"

namespace ptq::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class BadInput : public Program {
 protected:
  /// The program ends with this code and prints one line of error with these words, and no result.
  static void expect_refusal(const Arguments& arguments, ExitCode code,
                             const std::vector<std::string>& words) {
    const support::ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, static_cast<int>(code)) << result.err;
    EXPECT_THAT(result.err, StartsWith("error: "));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const std::string& word : words) EXPECT_THAT(result.err, HasSubstr(word));
    EXPECT_THAT(result.out, Not(HasSubstr("top-1")));
  }

  void expect_usage(const Arguments& more, const std::string& message) const {
    const support::ProgramResult result = run(good(more));
    EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kUsage));
    EXPECT_EQ(result.err, "error: " + message + "\n");
    EXPECT_EQ(result.out, "");
  }
};

TEST_F(BadInput, UnknownFlag) {
  expect_usage({"--frobnicate"}, "unknown flag --frobnicate; --help-all lists all flags");
}

TEST_F(BadInput, UnknownInstructionSetInTheEnvironment) {
  setenv("PTQ_MAX_CPU_ISA", "AVX3", 1);
  const support::ProgramResult result = run(good({}));
  unsetenv("PTQ_MAX_CPU_ISA");
  EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kUsage));
  EXPECT_THAT(result.err, StartsWith("error: PTQ_MAX_CPU_ISA is AVX3, which is none of SSE41, "));
}

TEST_F(BadInput, IntegersNodeByNode) {
  expect_usage({"--arithmetic", "integer", "--no-compile"},
               "--arithmetic integer needs the optimised plan: leave out --no-compile");
}

TEST_F(BadInput, PercentileZeroAndAboveHundred) {
  expect_usage({"--act-quant-percentile", "0"},
               "--act-quant-percentile must be above 0 and at most 100, not 0");
  expect_usage({"--act-quant-percentile", "101"},
               "--act-quant-percentile must be above 0 and at most 100, not 101");
}

TEST_F(BadInput, WeightBitWidthZeroAndBitWidthsOneAndThirtyThree) {
  expect_usage({"--act-bit-width", "1"}, "--act-bit-width must be between 2 and 16, not 1");
  expect_usage({"--act-bit-width", "33"}, "--act-bit-width must be between 2 and 16, not 33");
  expect_usage({"--weight-bit-width", "0"}, "--weight-bit-width must be between 2 and 16, not 0");
  expect_usage({"--weight-bit-width", "1"}, "--weight-bit-width must be between 2 and 16, not 1");
  expect_usage({"--weight-bit-width", "33"}, "--weight-bit-width must be between 2 and 16, not 33");
}

TEST_F(BadInput, BatchSizeZero) {
  expect_usage({"--batch-size-calibration", "0"},
               "--batch-size-calibration must be at least 1, not 0");
  expect_usage({"--batch-size-validation", "0"},
               "--batch-size-validation must be at least 1, not 0");
}

TEST_F(BadInput, GpuWithoutCuda) {
  const support::ProgramResult result = run(good({"--gpu", "0"}));
  if (result.exit_code == 0) GTEST_SKIP() << "this LibTorch has CUDA";
  EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kUsage));
  EXPECT_THAT(result.err, StartsWith("error: --gpu 0"));
}

TEST_F(BadInput, UnknownModelName) {
  folder_.write("models/alexnet.pt", "");
  folder_.write("models/resnet18.pt", "");
  expect_refusal(
      {"--calibration-dir", path("calibration"), "--validation-dir", path("validation"),
       "--model-dir", path("models"), "--model-name", "resnet19"},
      ExitCode::kUsage,
      {"--model-name resnet19: there is no resnet19.pt in " + path("models"), "alexnet, resnet18"});
}

TEST_F(BadInput, MissingOptions) {
  expect_refusal({"--model", fixture("tiny.pt"), "--validation-dir", path("validation")},
                 ExitCode::kUsage, {"--calibration-dir is required"});
  expect_refusal({"--model", fixture("tiny.pt"), "--calibration-dir", path("calibration")},
                 ExitCode::kUsage, {"--validation-dir is required"});
  expect_refusal({"--calibration-dir", path("calibration"), "--validation-dir", path("validation")},
                 ExitCode::kUsage, {"--model FILE.pt is required", "resnet18.pt"});
}

TEST_F(BadInput, MissingFolder) {
  expect_refusal(good_but("--validation-dir", path("nowhere")), ExitCode::kData, {path("nowhere")});
  expect_refusal(good_but("--calibration-dir", path("nowhere")), ExitCode::kData,
                 {path("nowhere")});
}

TEST_F(BadInput, EmptyFolder) {
  mkdir(path("empty").c_str(), 0700);
  expect_refusal(good_but("--validation-dir", path("empty")), ExitCode::kData, {path("empty")});
}

TEST_F(BadInput, ImageThatIsATextFile) {
  const std::string image = folder_.write("validation/c/text.jpg", "this is no picture\n");
  expect_refusal(good(), ExitCode::kData, {image});
}

TEST_F(BadInput, TruncatedJpeg) {
  const std::string whole = support::content_of(PTQ_JPEG_FIXTURE);
  ASSERT_GT(whole.size(), 500U);
  const std::string image =
      folder_.write("validation/b/cut.jpg", whole.substr(0, whole.size() / 2));
  expect_refusal(good(), ExitCode::kData, {image});
}

TEST_F(BadInput, MoreCalibrationSamplesThanImages) {
  expect_refusal(good({"--calibration-samples", "21"}), ExitCode::kData, {"21", "20"});
}

TEST_F(BadInput, LabelsThatTheModelDoesNotHave) {
  folder_.write("validation/labels.txt", "a/0.bmp 3\nb/1.bmp 999\n");
  expect_refusal(good(), ExitCode::kData,
                 {"b/1.bmp has label 999, but " + fixture("tiny.pt") + " has 10 classes"});
}

TEST_F(BadInput, MissingModelFile) {
  expect_refusal(good_but("--model", path("none.pt")), ExitCode::kModel, {path("none.pt")});
}

TEST_F(BadInput, EmptyModelFile) {
  expect_refusal(good_but("--model", folder_.write("empty.pt", "")), ExitCode::kModel,
                 {path("empty.pt")});
}

TEST_F(BadInput, ZipThatIsNotTorchScript) {
  // An archive without entries: the end-of-directory record alone.
  const std::string zip = std::string("PK\x05\x06", 4) + std::string(18, '\0');
  expect_refusal(good_but("--model", folder_.write("archive.pt", zip)), ExitCode::kModel,
                 {path("archive.pt")});
}

TEST_F(BadInput, NanWeights) {
  expect_refusal(good_but("--model", fixture("nan.pt")), ExitCode::kModel,
                 {"block.pointwise.weight"});
}

TEST_F(BadInput, OutputsThatCannotBeWritten) {
  for (const char* flag :
       {"--report", "--dump-quantizers", "--dump-logits", "--dump-float-logits"}) {
    expect_refusal(good({flag, path("none/out")}), ExitCode::kOutput,
                   {path("none/out") + " cannot be written: there is no folder"});
  }
}

TEST_F(BadInput, OutputsThatContradict) {
  expect_usage({"--report", path("one.json"), "--dump-quantizers", path("one.json")},
               "two outputs cannot share one file, " + path("one.json"));
  expect_usage({"--skip-float", "--dump-float-logits", path("f.npy")},
               "--dump-float-logits needs the float evaluation, which --skip-float leaves out");
  expect_usage({"--model-dir", path("models")}, "--model and --model-dir cannot be combined");
}

TEST_F(BadInput, LeavesNoFileBehindWhenTheRunFails) {
  folder_.write("validation/c/text.jpg", "this is no picture\n");
  const support::ProgramResult result =
      run(good({"--report", path("report.json"), "--dump-logits", path("logits.npy"),
                "--dump-quantizers", path("quantizers.json")}));
  EXPECT_NE(result.exit_code, 0);
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    left.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(left, ::testing::UnorderedElementsAre("calibration", "validation"));
}

}  // namespace
}  // namespace ptq::cli
