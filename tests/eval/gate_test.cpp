#include "eval/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ptq::eval {
namespace {

using ::testing::HasSubstr;

TEST(Verdict, PassesWhenTheDropIsSurelySmall) {
  EXPECT_EQ(verdict_of({50000, 0, 500, 490}, {0.005, 0.95}), Verdict::kPass);
  EXPECT_EQ(verdict_of({300, 0, 4, 6}, {0.05, 0.95}), Verdict::kPass);
}

TEST(Verdict, FailsWhenTheDropIsSurelyGreater) {
  EXPECT_EQ(verdict_of({50000, 0, 900, 490}, {0.005, 0.95}), Verdict::kFail);
  EXPECT_EQ(verdict_of({300, 0, 40, 5}, {0.05, 0.95}), Verdict::kFail);
}

// Even without a flip, 300 images cannot say that the drop is below 0.5 points: a rate of 0.5 %
// shows none of them in 22 % of the runs.
TEST(Verdict, IsInconclusiveOnTooFewImages) {
  EXPECT_EQ(verdict_of({300, 0, 0, 0}, {0.005, 0.95}), Verdict::kInconclusive);
  EXPECT_EQ(verdict_of({600, 0, 0, 0}, {0.005, 0.95}), Verdict::kPass);
}

TEST(Judge, CountsBothSidesAndTheirFlips) {
  const std::vector<int64_t> before = {1, 2, 3, 4}, after = {1, 2, 0, 0};
  const std::vector<uint8_t> right_before = {1, 1, 1, 0}, right_after = {1, 1, 0, 0};
  const Judgement judgement = judge({before, right_before}, {after, right_after}, {0.1, 0.95});
  EXPECT_EQ(judgement.baseline.correct, 3);
  EXPECT_EQ(judgement.now.correct, 2);
  EXPECT_DOUBLE_EQ(judgement.drop.observed, 0.25);
  EXPECT_EQ(judgement.flips->only_first_right, 1);
  EXPECT_EQ(judgement.verdict, Verdict::kInconclusive);
  EXPECT_THAT(words_of(judgement, {0.1, 0.95}),
              HasSubstr("top-1 75.000 % before, 50.000 % now: a drop of 25.000 points, at least "));
}

// Newcombe's example (d): 56 of 70 against 48 of 80 has the two-sided 95 % interval 0.0524 to
// 0.3339, which is two bounds of 97.5 %.
TEST(JudgeUnpaired, MatchesThePublishedExample) {
  const Judgement judgement = judge(Accuracy{70, 56, 0}, Accuracy{80, 48, 0}, {0.01, 0.975});
  EXPECT_NEAR(judgement.drop.observed, 0.2, 1e-12);
  EXPECT_NEAR(judgement.drop.low, 0.0524, 5e-5);
  EXPECT_NEAR(judgement.drop.high, 0.3339, 5e-5);
  EXPECT_EQ(judgement.verdict, Verdict::kFail);
  EXPECT_EQ(judgement.pairing, Pairing::kUnpaired);
  EXPECT_THAT(words_of(judgement, {0.01, 0.975}), HasSubstr("97.5 % confidence, unpaired"));
}

TEST(JudgeUnpaired, PassesAndAbstains) {
  EXPECT_EQ(judge(Accuracy{50000, 40000, 0}, Accuracy{50000, 40000, 0}, {0.005, 0.95}).verdict,
            Verdict::kPass);
  EXPECT_EQ(judge(Accuracy{300, 240, 0}, Accuracy{300, 240, 0}, {0.005, 0.95}).verdict,
            Verdict::kInconclusive);
}

}  // namespace
}  // namespace ptq::eval
