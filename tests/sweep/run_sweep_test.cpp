#include "sweep/run_sweep.h"

#include <gmock/gmock.h>

#include "ptq/base/error.h"
#include "sweep/halving.h"
#include "sweep/sweeps.h"

namespace ptq::sweep {
namespace {

using support::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RunSweep : public ::testing::Test {
 protected:
  SweepReport run(const std::string& yaml) {
    options.output = folder.path();
    return run_sweep(expansion_of(yaml), options, pretended.world(), log);
  }
  std::vector<std::string> cells(const TextTable& table, const char* column) {
    std::vector<std::string> values;
    for (const auto& row : table.rows) values.push_back(table.cell(row, column));
    return values;
  }

  const std::string four = "models: a\noptions: {weight-bit-width: [4, 5, 6, 8]}";
  TemporaryFolder folder;
  SweepOptions options;
  PretendedWorld pretended;
  KeptLog log;
};

TEST_F(RunSweep, HasARowForEachConfigurationEvenWhereOneFails) {
  const SweepReport report = run(four);
  EXPECT_THAT(cells(report.results, "configuration"), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(cells(report.results, "status"), ElementsAre("done", "failed", "done", "done"));
  EXPECT_THAT(cells(report.results, "quant_top1"), ElementsAre("4.000", "", "6.000", "8.000"));
  EXPECT_THAT(cells(report.results, "error"),
              ElementsAre("", "five bits are not pretended", "", ""));
  EXPECT_THAT(cells(report.results, "seconds"), ElementsAre("10.00", "10.00", "10.00", "10.00"));
  EXPECT_EQ(report.left, 0U);
  EXPECT_THAT(log.lines.back(), HasSubstr("[4/4] a number 4: top-1 8.000 %"));
}

TEST_F(RunSweep, GoesOnWhereItStopped) {
  options.time_budget = 15;
  const SweepReport first = run(four);
  EXPECT_THAT(cells(first.results, "configuration"), ElementsAre("1", "2"));
  EXPECT_EQ(first.left, 2U);
  options.time_budget.reset();
  const SweepReport second = run(four);
  EXPECT_THAT(pretended.ran, ElementsAre(4, 5, 6, 8));
  EXPECT_THAT(pretended.announced, ElementsAre(ElementsAre(4, 5, 6, 8), ElementsAre(6, 8)));
  EXPECT_THAT(cells(second.results, "configuration"), ElementsAre("1", "2", "3", "4"));
}

TEST_F(RunSweep, RunsFailuresAgainWhenAsked) {
  run(four);
  run(four);
  EXPECT_THAT(pretended.ran, SizeIs(4));
  options.retry_failed = true;
  run(four);
  EXPECT_THAT(pretended.ran, ElementsAre(4, 5, 6, 8, 5));
}

TEST_F(RunSweep, RunsItsShardAlone) {
  options.shard = {2, 2};
  const SweepReport report = run(four);
  EXPECT_THAT(pretended.ran, ElementsAre(6, 8));
  EXPECT_THAT(cells(report.results, "configuration"), ElementsAre("3", "4"));
  options.halving = true;
  EXPECT_THROW(run(four), ConfigError);
}

TEST_F(RunSweep, LeavesRowsOfOtherConfigurationsOutOfTheTable) {
  run(four);
  const SweepReport report = run("models: a\noptions: {weight-bit-width: [6, 8, 7]}");
  EXPECT_THAT(cells(report.results, "quant_top1"), ElementsAre("6.000", "8.000", "7.000"));
  EXPECT_THAT(cells(report.results, "configuration"), ElementsAre("1", "2", "3"));
  EXPECT_THAT(pretended.ran, SizeIs(5));
}

TEST_F(RunSweep, HalvesAndEvaluatesTheBestOnAllImages) {
  options.halving = true;
  const SweepReport report = run("models: a\noptions: {weight-bit-width: [2, 3, 4, 5, 6, 7, 8]}");
  // 7 on 250, the better half of the 6 that did not fail on 500, the better half of these on all.
  EXPECT_THAT(pretended.ran, ElementsAre(2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 8, 7));
  EXPECT_THAT(cells(report.results, "status"),
              ElementsAre("subset", "subset", "subset", "failed", "subset", "done", "done"));
  EXPECT_THAT(cells(report.results, "count"),
              ElementsAre("250", "250", "250", "", "500", "1000", "1000"));
}

TEST_F(RunSweep, RunsOnAsManyImagesAsItAsksFor) {
  const std::string asked =
      "models: a\noptions: {validation-samples: 250, weight-bit-width: [2, 3, 4, 6, 7, 8]}";
  const SweepReport report = run(asked);
  EXPECT_THAT(cells(report.results, "status"), ::testing::Each("done"));
  EXPECT_THAT(cells(report.results, "count"), ::testing::Each("250"));
}

// The first round of halving is what a sweep on 250 images did.
TEST_F(RunSweep, TakesARoundOfHalvingForAResultAndTheOtherWayRound) {
  const std::string three = "models: a\noptions: {weight-bit-width: [6, 7, 8]";
  run(three + ", validation-samples: 500}");
  options.halving = true;
  EXPECT_THAT(cells(run(three + "}").results, "status"), ElementsAre("subset", "done", "done"));
  EXPECT_THAT(pretended.counts, ElementsAre(500, 500, 500, 1000, 1000));
  options.halving = false;
  EXPECT_THAT(cells(run(three + ", validation-samples: 500}").results, "status"),
              ElementsAre("done", "done", "done"));
  EXPECT_THAT(pretended.counts, SizeIs(5));
}

TEST_F(RunSweep, HalvesTheImagesThatItAsksFor) {
  options.halving = true;
  run("models: a\noptions: {validation-samples: 400, weight-bit-width: [6, 7, 8]}");
  EXPECT_THAT(pretended.counts, ElementsAre(200, 200, 200, 400, 400));
}

TEST_F(RunSweep, KeepsFewerWhereTheTimeIsShort) {
  options.halving = true;
  // 6 x 2.5 s on 250 images, and then time for one on 500 and on all.
  options.time_budget = 15 + 8;
  const SweepReport report = run("models: a\noptions: {weight-bit-width: [2, 3, 4, 6, 7, 8]}");
  EXPECT_THAT(pretended.counts, ElementsAre(250, 250, 250, 250, 250, 250, 500, 1000));
  EXPECT_EQ(report.left, 0U);
}

TEST_F(RunSweep, HalvesEachModelForItself) {
  options.halving = true;
  run("models: [a, b]\noptions: {weight-bit-width: [6, 7, 8]}");
  EXPECT_THAT(pretended.ran, ElementsAre(6, 7, 8, 8, 7, 6, 7, 8, 8, 7));
}

TEST(Halving, DoublesTheImagesFromRungToRung) {
  EXPECT_THAT(rung_sizes(10000, 48), ElementsAre(312, 625, 1250, 2500, 5000));
  EXPECT_THAT(rung_sizes(300, 48), ElementsAre(150));
  EXPECT_THAT(rung_sizes(150, 48), IsEmpty());
  EXPECT_THAT(rung_sizes(10000, 2), IsEmpty());
}

TEST(Halving, TellsApartByAgreementAndThenByOrder) {
  EXPECT_THAT(best_of({{0, 5, 80}, {1, 6, 70}, {2, 5, 90}, {3, 5, 80}}, 3), ElementsAre(1, 2, 0));
}

TEST(Halving, KeepsHalfOrWhatTheTimeAllowsButOne) {
  EXPECT_EQ(survivors(7, std::nullopt), 4U);
  EXPECT_EQ(survivors(7, TimeLeft{100, 10}), 4U);
  EXPECT_EQ(survivors(7, TimeLeft{25, 10}), 2U);
  EXPECT_EQ(survivors(7, TimeLeft{-5, 10}), 1U);
}

}  // namespace
}  // namespace ptq::sweep
