#include <gmock/gmock.h>

#include <filesystem>

#include "cli/program_fixture.h"

namespace ptq::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ExportingProgram : public Program {
 protected:
  ExportingProgram() { std::filesystem::create_directory(path("exports")); }

  Arguments exporting(Arguments more) const {
    more.insert(more.end(), {"--export-dir", path("exports")});
    return good(more);
  }
  int files() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path("exports"))) {
      count += entry.is_regular_file();
    }
    return count;
  }
};

nlohmann::json check_of(const nlohmann::json& file, const std::string& runner) {
  for (const nlohmann::json& check : file.at("checks")) {
    if (check.at("runner") == runner) return check;
  }
  return {};
}

TEST_F(ExportingProgram, WritesBothFormatsUnderTheRunsNameAndRunsThemAgain) {
  const nlohmann::json report =
      report_of({"--export-dir", path("exports"), "--export-onnx-qcdq", "--export-torch-qcdq",
                 "--check-export", "12", "--no-compile", "--skip-float"});
  const nlohmann::json& exports = report.at("exports");
  ASSERT_EQ(exports.at("files").size(), 2U);
  EXPECT_EQ(files(), 2);
  const std::string stem = path("exports") + "/" + report.at("run_name").get<std::string>();
  for (const nlohmann::json& file : exports.at("files")) {
    const bool is_onnx = file.at("format") == "ONNX";
    EXPECT_EQ(file.at("path"), stem + (is_onnx ? ".onnx" : ".pt"));
    EXPECT_EQ(file.at("bytes"), std::filesystem::file_size(file.at("path").get<std::string>()));
    const nlohmann::json check = check_of(file, is_onnx ? "evaluator" : "LibTorch");
    EXPECT_EQ(check.at("images"), 12);
    EXPECT_EQ(check.at("agreeing"), 12);
    EXPECT_TRUE(check.at("disagreeing").empty());
  }
  const nlohmann::json torchscript = check_of(exports.at("files").at(1), "LibTorch");
  EXPECT_EQ(torchscript.at("largest_difference"), 0);
}

/// A sum in another order may give another code here and there.
TEST_F(ExportingProgram, RunsOnnxFilesInOnnxRuntimeAndSaysWhereNoneIs) {
  const nlohmann::json exports = report_of({"--export-dir", path("exports"), "--export-onnx-qcdq",
                                            "--check-export", "5", "--no-compile", "--skip-float"})
                                     .at("exports");
  const nlohmann::json& why = exports.at("no_onnx_runtime");
  if (!why.is_null()) GTEST_SKIP() << why.get<std::string>();
  const nlohmann::json& file = exports.at("files").at(0);
  const nlohmann::json exact = check_of(file, "ONNX Runtime without optimization");
  EXPECT_EQ(exact.at("images"), 5) << exact;
  EXPECT_EQ(exact.at("ties"), exact.at("disagreeing").size()) << exact;
  EXPECT_EQ(check_of(file, "ONNX Runtime").at("images"), 5) << file;
}

/// Sums of products are exact then, so that their order does not matter: here a plan is compared.
TEST_F(ExportingProgram, GivesTheSameLogitsEverywhereWithPowersOfTwo) {
  Arguments arguments = good_but("--model", PTQ_DEMO_MODEL);
  arguments.insert(arguments.end(),
                   {"--skip-float", "--scale-factor-type", "po2_scale", "--export-dir",
                    path("exports"), "--export-onnx-qcdq", "--export-torch-qcdq", "--check-export",
                    "30", "--report", path("report.json")});
  const nlohmann::json exports = report_of_exactly(arguments).at("exports");
  ASSERT_EQ(exports.at("files").size(), 2U);
  for (const nlohmann::json& file : exports.at("files")) {
    for (const nlohmann::json& check : file.at("checks")) {
      EXPECT_EQ(check.at("images"), 30);
      EXPECT_EQ(check.at("largest_difference"), 0) << check.at("runner");
    }
  }
}

TEST_F(ExportingProgram, SaysThatThereIsNoNodeForOnnxRuntime) {
  Arguments arguments = {"PATH=/nowhere", PTQ_PROGRAM};
  const Arguments program = exporting({"--export-onnx-qcdq", "--check-export", "3"});
  arguments.insert(arguments.end(), program.begin(), program.end());
  const auto result = support::run_program("/usr/bin/env", arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("ONNX Runtime is skipped: node is not installed\n"));
}

TEST_F(ExportingProgram, TellsWhatTheFileHolds) {
  const nlohmann::json report = report_of({"--export-dir", path("exports"), "--export-torch-qcdq"});
  const nlohmann::json& truth = report.at("exports").at("truth");
  EXPECT_GT(truth.at("operators").at("conv").at("on_integers"), 0);
  EXPECT_LT(truth.at("packed_bytes"), truth.at("float_bytes"));
  EXPECT_GE(truth.at("layers").at(0).at("accumulator_bits"), 16);
}

TEST_F(ExportingProgram, RefusesWhatAFormatCannotSayBeforeAnyWork) {
  const auto result =
      run(exporting({"--export-torch-qcdq", "--weight-quant-granularity", "per_group",
                     "--scale-factor-type", "po2_scale", "--bias-bit-width", "None"}));
  EXPECT_EQ(result.exit_code, 68) << result.err;
  EXPECT_THAT(result.err, HasSubstr("TorchScript cannot express the weight of "));
  EXPECT_THAT(result.out, Not(HasSubstr("evaluation")));
  EXPECT_EQ(files(), 0);
}

TEST_F(ExportingProgram, RefusesAFolderThatIsNotThere) {
  const auto result = run(good({"--export-torch-qcdq", "--export-dir", path("nowhere")}));
  EXPECT_EQ(result.exit_code, 73);
  EXPECT_THAT(result.err, AllOf(HasSubstr("nowhere"), HasSubstr("there is no folder")));
  EXPECT_EQ(result.out, "");
}

TEST_F(ExportingProgram, SaysThatAFolderIsReadOnly) {
  const auto result = run(good({"--export-torch-qcdq", "--export-dir", "/proc"}));
  EXPECT_EQ(result.exit_code, 73);
  EXPECT_THAT(result.err, AllOf(HasSubstr("/proc/"), HasSubstr(" cannot be written: ")));
}

/// Room for the small one of two files, and not for both.
TEST_F(ExportingProgram, LeavesNothingWhereTheDiskIsFull) {
  for (const char* blocks : {"1", "12"}) {
    SCOPED_TRACE(blocks);
    Arguments arguments = {"-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", blocks,
                           PTQ_PROGRAM};
    const Arguments program = exporting({"--export-torch-qcdq", "--export-onnx-qcdq"});
    arguments.insert(arguments.end(), program.begin(), program.end());
    const auto result = support::run_program("/bin/bash", arguments);
    EXPECT_EQ(result.exit_code, 73) << result.err;
    EXPECT_THAT(result.err, HasSubstr("exports/"));
    EXPECT_TRUE(std::filesystem::is_empty(path("exports")));
  }
}

}  // namespace
}  // namespace ptq::cli
