#include <gmock/gmock.h>

#include <sstream>

#include "base/csv.h"
#include "cli/program_fixture.h"

// The gate, the guards and the calibration audit through the program.
namespace ptq::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class GateRun : public Program {
 protected:
  /// Runs good(more) and expects this exit code.
  support::ProgramResult ends_with(ExitCode code, const Arguments& more) const {
    support::ProgramResult result = run(good(more));
    EXPECT_EQ(result.exit_code, static_cast<int>(code)) << result.out << result.err;
    return result;
  }

  json report() const { return json::parse(support::content_of(path("report.json"))); }

  /// Labels every validation image with what the quantized network says of it, and makes that run
  /// the baseline: 30 of 30 right.
  void make_baseline() {
    ends_with(ExitCode::kSuccess, {"--save-predictions", path("first.csv")});
    std::istringstream lines(support::content_of(path("first.csv")));
    std::string labels;
    bool in_rows = false;
    for (std::string line; std::getline(lines, line);) {
      const std::vector<std::string> fields = split_csv(line);
      if (in_rows) labels += fields.at(4) + " " + fields.at(2) + "\n";
      in_rows = in_rows || fields.front() == "image_hash";
    }
    folder_.write("validation/labels.txt", labels);
    folder_.write("validation/classes.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    ends_with(ExitCode::kSuccess, {"--save-predictions", path("baseline.csv")});
  }
};

// No flip among 30: a drop of 20 points would show one in 99.9 % of the cases.
TEST_F(GateRun, PassesAgainstItself) {
  make_baseline();
  const auto result =
      ends_with(ExitCode::kSuccess, {"--baseline", path("baseline.csv"), "--max-drop", "20",
                                     "--report", path("report.json"), "--junit", path("gate.xml")});
  EXPECT_THAT(result.out, HasSubstr("gate        pass: top-1 100.000 % before, 100.000 % now"));
  const json gate = report().at("gate");
  EXPECT_EQ(gate.at("verdict"), "pass");
  EXPECT_EQ(gate.at("top1").at("drop"), 0);
  EXPECT_GT(gate.at("top1").at("high"), 0.09);
  EXPECT_EQ(gate.at("top1").at("mcnemar_p"), 1);
  EXPECT_EQ(gate.at("top1").at("same_model"), true);
  EXPECT_EQ(report().at("hashes").at("model").get<std::string>().size(), 64U);
  const std::string junit = support::content_of(path("gate.xml"));
  EXPECT_THAT(junit, HasSubstr("tests=\"2\" failures=\"0\" errors=\"0\""));
}

TEST_F(GateRun, SaysThatTheBaselineHasAnotherArithmetic) {
  make_baseline();
  const auto same = ends_with(ExitCode::kSuccess, {"--baseline", path("baseline.csv"), "--max-drop",
                                                   "20", "--report", path("report.json")});
  EXPECT_THAT(same.out, Not(HasSubstr("was made in")));
  EXPECT_EQ(report().at("gate").at("top1").at("baseline_arithmetic"), "integer");
  const auto other = ends_with(ExitCode::kSuccess, {"--baseline", path("baseline.csv"),
                                                    "--max-drop", "30", "--arithmetic", "float"});
  EXPECT_THAT(other.out, HasSubstr("baseline.csv was made in integer arithmetic, and this run "
                                   "computes in float arithmetic"));
}

TEST_F(GateRun, CannotTellWithFewImages) {
  make_baseline();
  const auto result = ends_with(ExitCode::kGateInconclusive, {"--baseline", path("baseline.csv")});
  EXPECT_THAT(result.out, HasSubstr("gate        inconclusive: "));
  EXPECT_THAT(result.err, HasSubstr("error: the gate cannot tell: top-1 100.000 % before"));
}

TEST_F(GateRun, FailsWhenAccuracyDrops) {
  make_baseline();
  const auto result =
      ends_with(ExitCode::kGateFailed,
                {"--baseline", path("baseline.csv"), "--weight-bit-width", "2", "--bias-bit-width",
                 "None", "--junit", path("gate.xml"), "--report", path("report.json")});
  EXPECT_THAT(result.err, HasSubstr("error: the gate failed: "));
  EXPECT_EQ(report().at("gate").at("top1").at("verdict"), "fail");
  EXPECT_THAT(support::content_of(path("gate.xml")), HasSubstr("<failure type=\"fail\""));
}

TEST_F(GateRun, RefusesABaselineOfOtherImagesBeforeAnyWork) {
  make_baseline();
  support::write_noise_image(path("validation/a/0.bmp"), {40, 36}, 77);
  const auto result = ends_with(ExitCode::kData, {"--baseline", path("baseline.csv")});
  EXPECT_THAT(result.err,
              HasSubstr("baseline.csv was written for other images: 29 of the 30 images "
                        "now evaluated are among its 30"));
  EXPECT_THAT(result.out, Not(HasSubstr("evaluation:")));
}

TEST_F(GateRun, GuardsWarnAndFailOnlyWhenStrict) {
  // The labels of the fixture have nothing to do with the network.
  EXPECT_THAT(ends_with(ExitCode::kSuccess, {}).err, HasSubstr("no better than guessing"));
  const auto result = ends_with(ExitCode::kGateFailed, {"--strict", "--junit", path("gate.xml")});
  EXPECT_THAT(result.err, HasSubstr("error: the gate failed: the float network is no better than"));
  EXPECT_THAT(support::content_of(path("gate.xml")), HasSubstr("failures=\"1\""));
  make_baseline();
  EXPECT_THAT(ends_with(ExitCode::kSuccess, {"--strict"}).out,
              HasSubstr("gate        pass: nothing looks broken"));
}

TEST_F(GateRun, RefusesToOverwriteItsBaseline) {
  const auto result = ends_with(ExitCode::kUsage,
                                {"--baseline", path("b.csv"), "--save-predictions", path("b.csv")});
  EXPECT_THAT(result.err, HasSubstr("b.csv would be overwritten"));
}

TEST_F(GateRun, DrawsAsOftenAsAskedEachAsARunOfItsOwn) {
  make_baseline();
  const Arguments draw = {"--calibration-samples",
                          "3",
                          "--calibration-sampling",
                          "random",
                          "--weight-bit-width",
                          "4",
                          "--report",
                          path("report.json")};
  const auto with = [&](const Arguments& more) {
    Arguments all = draw;
    all.insert(all.end(), more.begin(), more.end());
    return ends_with(ExitCode::kSuccess, all);
  };
  const auto result = with({"--seed", "7", "--repeat-calibration", "3"});
  EXPECT_THAT(result.out,
              HasSubstr("draws       3 calibration draws, seeds 7 to 9: quantized top-1"));
  const json draws = report().at("repeat_calibration");
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    with({"--seed", std::to_string(7 + i)});
    EXPECT_EQ(draws.at("seeds").at(i), 7 + i);
    EXPECT_EQ(draws.at("top1").at(i), report().at("quantized").at("top1"));
    sum += draws.at("top1").at(i).get<double>();
  }
  EXPECT_NEAR(draws.at("mean").get<double>(), sum / 3, 1e-12);
}

TEST_F(GateRun, RefusesToRepeatTheSameDraw) {
  EXPECT_THAT(ends_with(ExitCode::kUsage, {"--repeat-calibration", "3"}).err,
              HasSubstr("--repeat-calibration 3: all 20 images of "));
  EXPECT_THAT(
      ends_with(ExitCode::kUsage, {"--repeat-calibration", "3", "--calibration-sampling", "first"})
          .err,
      HasSubstr("every draw would be the same"));
}

TEST_F(GateRun, AuditsTheCalibrationImages) {
  std::filesystem::copy(path("validation/c/1.bmp"), path("calibration/b/copy.bmp"));
  const auto result =
      ends_with(ExitCode::kSuccess, {"--audit-calibration", "--report", path("report.json")});
  EXPECT_THAT(result.out,
              HasSubstr("calibration classes: 10 of the 10 in validation, as varied as "));
  EXPECT_THAT(result.out, HasSubstr("  class b: 3 calibration, 3 validation images\n"));
  EXPECT_THAT(result.err,
              HasSubstr("1 calibration image also used for validation, first " +
                        path("calibration/b/copy.bmp") + " as " + path("validation/c/1.bmp")));
  const json audit = report().at("calibration").at("audit");
  EXPECT_EQ(audit.at("in_validation"), 1);
  EXPECT_EQ(audit.at("duplicates"), 0);
  EXPECT_EQ(audit.at("classes").at("b").at("calibration"), 3);
  // Nine classes with 2 of 21 images and one with 3: exp(entropy) = 9.909082.
  EXPECT_NEAR(audit.at("effective_classes").get<double>(), 9.909082, 1e-5);
}

TEST_F(GateRun, WarnsOfCalibrationOnOneClass) {
  const auto result = ends_with(ExitCode::kSuccess,
                                {"--calibration-sampling", "first", "--calibration-samples", "2"});
  EXPECT_THAT(result.err,
              HasSubstr("all 2 calibration images are of one class, validation has 10"));
}

}  // namespace
}  // namespace ptq::cli
