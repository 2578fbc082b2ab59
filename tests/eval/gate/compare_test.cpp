#include "eval/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "eval/predictions.h"
#include "support/temporary_folder.h"

namespace ptq::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHeading = "model,weight_bit_width,correct,count,predictions,error\n";

class CompareFiles : public ::testing::Test {
 protected:
  TableComparison compare(const std::string& before, const std::string& now,
                          const GateRule& rule = {}) {
    return compare_files(folder_.write("old.csv", before), folder_.write("new.csv", now), rule);
  }

  std::string refusal(const std::string& before, const std::string& now) {
    try {
      compare(before, now);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }

  /// 1000 images of which the first `wrong` are answered wrongly.
  std::string predictions(const std::string& name, int64_t wrong,
                          runtime::Arithmetic arithmetic = runtime::Arithmetic::kInteger) {
    Evaluation evaluation;
    data::ImageFolder images;
    std::vector<std::string> hashes;
    for (int64_t i = 0; i < 1000; ++i) {
      images.items.push_back({std::to_string(i), 1});
      hashes.push_back(sha256(std::to_string(i)));
      evaluation.items.push_back(i);
      evaluation.predictions.push_back(i < wrong ? 0 : 1);
    }
    Predictions made = predictions_of(evaluation, images, hashes);
    made.arithmetic = arithmetic;
    write_predictions(folder_.file(name), made);
    return folder_.path() + "/" + name;
  }

  support::TemporaryFolder folder_;
};

TEST_F(CompareFiles, SaysThatArithmeticDiffers) {
  const std::string floats = predictions("float.csv", 10, runtime::Arithmetic::kFloat);
  const std::string integers = predictions("integer.csv", 10);
  const std::string sentence =
      floats + " was made in float arithmetic, and this run computes in integer arithmetic";
  EXPECT_THAT(compare_files(floats, integers, {}).rows[0].words, HasSubstr("; " + sentence));
  EXPECT_THAT(compare_files(integers, integers, {}).rows[0].words, Not(HasSubstr("arithmetic")));
  const std::string heading = kHeading;
  EXPECT_THAT(
      compare(heading + "a,8,990,1000,float.csv,\n", heading + "a,8,990,1000,integer.csv,\n")
          .rows[0]
          .words,
      HasSubstr(sentence));
}

TEST_F(CompareFiles, JudgesEachRowWithoutPairsWhereThereAreNone) {
  const TableComparison result =
      compare(std::string(kHeading) + "a,8,40000,50000,,\na,6,39900,50000,,\na,4,39000,50000,,\n",
              std::string(kHeading) + "a,4,38000,50000,,\na,6,39800,50000,,\na,8,40100,50000,,\n");
  ASSERT_EQ(result.rows.size(), 3U);
  EXPECT_EQ(result.rows[0].name, "a weight_bit_width=8");
  EXPECT_EQ(result.rows[0].verdict, Verdict::kPass);
  EXPECT_EQ(result.rows[1].verdict, Verdict::kInconclusive);
  EXPECT_EQ(result.rows[2].verdict, Verdict::kFail);
  EXPECT_THAT(result.rows[2].words, HasSubstr("confidence, unpaired)"));
  EXPECT_EQ(result.verdict(), Verdict::kFail);
}

TEST_F(CompareFiles, FailsNoRowThatIsTheWorstOfManyByChance) {
  std::string before = kHeading;
  std::string now = kHeading;
  before += "a,0,40000,50000,,\n";
  now += "a,0,39530,50000,,\n";  // p = 0.04
  EXPECT_EQ(compare(before, now).verdict(), Verdict::kFail);
  for (int row = 1; row < 20; ++row) {
    before += "a," + std::to_string(row) + ",40000,50000,,\n";
    now += "a," + std::to_string(row) + ",40000,50000,,\n";
  }
  const TableComparison result = compare(before, now);
  EXPECT_EQ(result.rows[0].verdict, Verdict::kInconclusive);
  EXPECT_THAT(result.rows[0].words,
              HasSubstr("; it would fail by itself, but is one of 20 rows (Holm)"));
  EXPECT_EQ(result.rows[1].verdict, Verdict::kPass);
  EXPECT_EQ(result.verdict(), Verdict::kInconclusive);
}

TEST_F(CompareFiles, PairsImagesWhereBothRowsHaveThem) {
  predictions("before.csv", 200);
  predictions("now/now.csv", 201);
  folder_.write("now/new.csv", std::string(kHeading) + "a,8,799,1000,now.csv,\n");
  const std::string before = std::string(kHeading) + "a,8,800,1000,before.csv,\n";
  const TableComparison result = compare_files(folder_.write("old.csv", before),
                                               folder_.path() + "/now/new.csv", {0.01, 0.95});
  ASSERT_TRUE(result.rows[0].judgement->flips.has_value());
  EXPECT_EQ(result.rows[0].judgement->flips->only_first_right, 1);
  EXPECT_EQ(result.rows[0].verdict, Verdict::kPass);
}

TEST_F(CompareFiles, TakesFilesOfPredictions) {
  const std::string before = predictions("before.csv", 200);
  const std::string now = predictions("now.csv", 240);
  EXPECT_EQ(compare_files(before, now, {0.01, 0.95}).verdict(), Verdict::kFail);
  EXPECT_EQ(compare_files(before, before, {0.01, 0.95}).verdict(), Verdict::kPass);
}

TEST_F(CompareFiles, NamesRowsOfOneTableAlone) {
  const TableComparison result =
      compare(std::string(kHeading) + "a,8,800,1000,,\na,4,700,1000,,\n",
              std::string(kHeading) + "a,8,990,1000,,\na,6,790,1000,,\n");
  EXPECT_EQ(result.rows[1].verdict, Verdict::kInconclusive);
  EXPECT_EQ(result.rows[1].words, "the new table has no such row");
  EXPECT_THAT(result.only_new, ElementsAre("a weight_bit_width=6"));
  EXPECT_EQ(result.verdict(), Verdict::kInconclusive);
}

TEST_F(CompareFiles, FailsForARunThatDidNotFailBefore) {
  const TableComparison result =
      compare(std::string(kHeading) + "a,8,800,1000,,\na,4,,,,no memory\n",
              std::string(kHeading) + "a,8,,,,no layer\na,4,,,,no memory\n");
  EXPECT_EQ(result.rows[0].verdict, Verdict::kFail);
  EXPECT_EQ(result.rows[0].words, "the run failed: no layer");
  EXPECT_EQ(result.rows[1].verdict, Verdict::kInconclusive);
}

TEST_F(CompareFiles, MatchesRowsByTheirHashesWhereBothTablesHaveThem) {
  const std::string heading =
      "weight_bit_width,configuration_hash,model_hash,data_hash,correct,count\n";
  const TableComparison result = compare(heading + "8,c,m,d,800,1000\n4,e,m,d,700,1000\n",
                                         heading + "eight,c,m,d,990,1000\n4,e,m,f,700,1000\n");
  EXPECT_EQ(result.rows[0].verdict, Verdict::kPass);
  EXPECT_EQ(result.rows[1].words, "the new table has no such row");
}

TEST_F(CompareFiles, RefusesWhatItCannotRead) {
  const std::string good = std::string(kHeading) + "a,8,800,1000,,\n";
  EXPECT_THAT(refusal("x,y\n1,2\n", good), HasSubstr("old.csv is neither a table of results"));
  EXPECT_THAT(refusal(good, std::string(kHeading) + "a,8,1\n"),
              HasSubstr("new.csv: line 2: 3 fields, the heading has 6"));
  EXPECT_THAT(refusal(good, std::string(kHeading) + "a,8,many,1000,,\n"),
              HasSubstr("line 2: correct is \"many\""));
  EXPECT_THAT(refusal(good, std::string(kHeading) + "a,8,1001,1000,,\n"),
              HasSubstr("1001 correct of 1000 images cannot be"));
  EXPECT_THAT(refusal(good, good + "a,8,800,1000,,\n"),
              HasSubstr("line 3 is the same configuration as"));
  EXPECT_THAT(refusal(good, std::string(kHeading) + "b,8,800,1000,,\n"),
              HasSubstr("is a configuration of"));
  EXPECT_THAT(refusal(good, "# model_hash x\n"), HasSubstr("one holds predictions"));
  EXPECT_THAT(refusal(good, good + std::string(70'000, ',')),
              HasSubstr("it is longer than any table"));
  EXPECT_THROW(compare_files(folder_.path() + "/none.csv", folder_.path() + "/new.csv", {}),
               DataError);
}

TEST_F(CompareFiles, RefusesWhatNeverEnds) {
  const std::string good = folder_.write("old.csv", std::string(kHeading) + "a,8,800,1000,,\n");
  try {
    compare_files("/dev/zero", good, {});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "/dev/zero is a pipe or a device, not a file");
  }
}

}  // namespace
}  // namespace ptq::eval
