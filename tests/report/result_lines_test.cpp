#include "report/result_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ptq::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

eval::Evaluation evaluation(int64_t correct) {
  eval::Evaluation made;
  made.accuracy = {100, correct, 95};
  made.network_seconds = 2;
  return made;
}

TEST(ResultLines, AreThoseOfWhatWasMeasured) {
  RunResult result;
  result.quantized = evaluation(80);
  result.stages = {{"import", 1}, {"calibration", 0.5}};
  EXPECT_THAT(
      result_lines(result),
      ElementsAre("quantized   top-1 80.000 % (80 of 100), top-5 95.000 % (95 of 100), 50.0 "
                  "images/s",
                  "time        import 1.00 s, calibration 0.50 s, together 1.50 s"));
  result.float_evaluation = evaluation(90);
  result.comparison = Comparison{{}, {}};
  result.comparison->counts.agreeing = 85;
  result.comparison->counts.count = 100;
  const std::vector<std::string> lines = result_lines(result);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[0], StartsWith("float       top-1 90.000 %"));
  EXPECT_EQ(lines[3], "agreement   85 of 100 predictions are equal (85.00 %)");
}

TEST(ResultLines, SayHowDrawsSpread) {
  RunResult result;
  result.draws = CalibrationDraws{{5, 6, 7}, {0.5, 0.6, 0.7}};
  EXPECT_NEAR(result.draws->mean(), 0.6, 1e-12);
  EXPECT_NEAR(result.draws->deviation(), 0.1, 1e-12);
  EXPECT_THAT(result_lines(result).back(),
              HasSubstr("3 calibration draws, seeds 5 to 7: quantized top-1 60.000 % on average, "
                        "standard deviation 10.000 points, from 50.000 % to 70.000 %"));
}

TEST(ResultLines, NameEveryImageThatIsThereTwice) {
  CalibrationAudit audit;
  audit.classes.classes = {{"cat", 2, 3}};
  audit.contents.in_validation = {{"a.jpg", "b.jpg"}};
  EXPECT_THAT(audit_lines(audit),
              ElementsAre("calibration audit", "  class cat: 2 calibration, 3 validation images",
                          "  distance from the classes of validation 0.000, by chance below 0.000",
                          "  0 duplicates", "  1 also in validation", "    a.jpg as b.jpg"));
}

TEST(ResultLines, SayWhyALayerRunsOnFloats) {
  EXPECT_THAT(arithmetic_lines({{"stem", true, ""}, {"head", false, "it is wide"}}),
              ElementsAre("  arithmetic: stem runs on integers",
                          "  arithmetic: head runs on floats: it is wide"));
}

}  // namespace
}  // namespace ptq::report
