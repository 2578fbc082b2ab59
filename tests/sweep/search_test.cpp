// The best configuration in the time there is, and a figure that choosing does not flatter.
#include "sweep/search.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "ptq/base/error.h"
#include "sweep/halving_time.h"
#include "sweep/sweeps.h"

namespace ptq::sweep {
namespace {

using support::TemporaryFolder;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;

class SearchTest : public ::testing::Test {
 protected:
  SearchReport run(const std::string& yaml, double held_out = 0.5) {
    options.output = folder.path();
    return search(expansion_of(yaml), options, held_out, pretended.world(), log);
  }

  const std::string seven = "models: a\noptions: {weight-bit-width: [2, 3, 4, 5, 6, 7, 8]}";
  TemporaryFolder folder;
  SweepOptions options;
  PretendedWorld pretended;
  KeptLog log;
};

TEST_F(SearchTest, EvaluatesTheBestOnImagesThatItDidNotUse) {
  const SearchReport report = run(seven);
  EXPECT_EQ(report.winner.settings.integer("weight-bit-width"), 8);
  EXPECT_EQ(report.search_images, 500);
  EXPECT_EQ(report.held_out_images, 500);
  EXPECT_EQ(report.held_out_correct, 40);
  // The last run is that of the winner; all others saw images of the search alone.
  EXPECT_EQ(pretended.ran.back(), 8);
  EXPECT_EQ(pretended.skipped.back(), 500);
  pretended.skipped.pop_back();
  EXPECT_THAT(pretended.skipped, Each(0));
  pretended.counts.pop_back();
  EXPECT_THAT(pretended.counts, Each(Le(500)));
  EXPECT_THAT(pretended.counts, Contains(500));
  EXPECT_TRUE(report.winner.settings.is_none("validation-samples"));
}

TEST_F(SearchTest, TriesFewerWhereTheTimeIsShort) {
  // 1.25 s each on 125 images, 2.5 on 250, 5 on 500: four of seven, then two, then two.
  options.time_budget = 30;
  const SearchReport report = run(seven);
  const auto first = std::count(pretended.counts.begin(), pretended.counts.end(), 125);
  EXPECT_GE(first, 2);
  EXPECT_LT(first, 7);
  EXPECT_GE(pretended.now, 18);
  EXPECT_LE(pretended.now, 30);
  EXPECT_GT(report.held_out_correct, 0);
}

TEST_F(SearchTest, AsksAConfigurationAgainOnlyWhereThereIsAChoice) {
  // On all images 5 s each: two, and one on those kept aside.
  options.time_budget = 17;
  run(seven);
  EXPECT_EQ(std::count(pretended.counts.begin(), pretended.counts.end(), 250), 0);
  EXPECT_EQ(std::count(pretended.counts.begin(), pretended.counts.end(), 500), 3);
  EXPECT_LE(pretended.now, 17);
}

TEST(HalvingTime, IsThatOfRunsWithoutImagesAndOfTheirImages) {
  RunCost cost;
  EXPECT_EQ(cost.seconds(100), 0);
  cost.add(10, 1, 100);  // The first one reads the model.
  EXPECT_DOUBLE_EQ(cost.seconds(200), 9 + 2);
  cost.add(3, 1, 100);
  cost.add(5, 1, 100);
  EXPECT_DOUBLE_EQ(cost.seconds(200), 3 + 2);
}

TEST(HalvingTime, SufficesForThoseItAllows) {
  RunCost cost;
  cost.add(2, 1, 100);
  const std::vector<int64_t> sizes{100, 200, 400, 400};
  // Four take 8 s, two 6, one 5, and 5 for the images kept aside.
  EXPECT_EQ(affordable(cost, sizes, 0, 99, 24), 4U);
  EXPECT_EQ(affordable(cost, sizes, 0, 99, 23.9), 3U);
  EXPECT_EQ(affordable(cost, sizes, 0, 3, 24), 3U);
  EXPECT_EQ(affordable(cost, sizes, 0, 99, 0), 1U);
  EXPECT_EQ(affordable(cost, sizes, 2, 99, 15), 2U);
}

TEST(HalvingTime, BeginsWhereTwoAreLeftForTheLastRound) {
  RunCost cost;
  cost.add(2, 1, 100);
  const std::vector<int64_t> sizes{100, 200, 400, 400};
  // From the first size five leave three, then two: 10, 9, 10 and 5 s.
  EXPECT_EQ(first_size(cost, sizes, 99, 34), 0U);
  EXPECT_EQ(first_size(cost, sizes, 99, 33.9), 1U);
  EXPECT_EQ(first_size(cost, sizes, 99, 1), 2U);
  EXPECT_EQ(first_size(cost, sizes, 4, 1e9), 1U);
}

TEST_F(SearchTest, KeepsAsideWhatIsAskedFor) {
  EXPECT_EQ(run(seven, 0.2).held_out_images, 200);
  EXPECT_THROW(run(seven, 0), ConfigError);
  EXPECT_THROW(run(seven, 1), ConfigError);
}

TEST_F(SearchTest, SharesOutTheImagesThatItAsksFor) {
  const SearchReport report =
      run("models: a\noptions: {validation-samples: 400, weight-bit-width: [4, 8]}");
  EXPECT_EQ(report.search_images, 200);
  EXPECT_EQ(pretended.skipped.back(), 200);
  EXPECT_THAT(pretended.counts, Each(200));
}

TEST_F(SearchTest, IsForOneModelAndOneMachine) {
  EXPECT_THROW(run("models: [a, b]\noptions: {weight-bit-width: [4, 8]}"), ConfigError);
  options.shard = {1, 2};
  EXPECT_THROW(run(seven), ConfigError);
}

TEST_F(SearchTest, WritesWhatWonAsAConfiguration) {
  const SearchReport report =
      run("models: a\noptions: {weight-bit-width: [4, 8], layer-bits: [['a.b=W4', \"it's=A6\"]]}");
  const std::string path = folder.path() + "/winner.yaml";
  write_winner(path, report);
  options::Settings settings;
  options::read_config_file(path, settings);
  EXPECT_EQ(settings.integer("weight-bit-width"), 8);
  EXPECT_EQ(settings.text("model-name"), "a");
  EXPECT_EQ(settings.texts("layer-bits"), (std::vector<std::string>{"a.b=W4", "it's=A6"}));
}

TEST(SearchSpace, AddsTechniquesThatTheFileDoesNotName) {
  const Sweep sweep =
      with_free_techniques(sweep_of("models: a\noptions: {weight-bit-width: 4, gptq: on}"));
  const auto count = [&](std::string_view option) {
    return std::count_if(sweep.options.begin(), sweep.options.end(),
                         [&](const Choice& choice) { return choice.option->name == option; });
  };
  EXPECT_EQ(count("gptq"), 1);
  EXPECT_EQ(count("bias-corr"), 1);
  EXPECT_EQ(count("weight-bit-width"), 1);
  for (const Configuration& each : expand(sweep, {}).configurations) {
    EXPECT_TRUE(each.settings.is_on("gptq"));
    EXPECT_FALSE(each.settings.is_on("qronos"));
    EXPECT_EQ(each.settings.integer("weight-bit-width"), 4);
  }
}

}  // namespace
}  // namespace ptq::sweep
