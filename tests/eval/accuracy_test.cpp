#include "ptq/eval/accuracy.h"

#include <gtest/gtest.h>

#include <limits>

#include "eval/paired_interval.h"
#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

int64_t predict(const std::vector<float>& logits) {
  return eval::predict(logits.data(), static_cast<int64_t>(logits.size()));
}

bool in_top(const std::vector<float>& logits, int64_t label, int64_t k) {
  return eval::in_top(logits.data(), static_cast<int64_t>(logits.size()), label, k);
}

TEST(Predict, TakesFirstIndexOfMaximum) {
  EXPECT_EQ(predict({1, 3, 2, 3}), 1);
  EXPECT_EQ(predict({0, 0, 0}), 0);
  EXPECT_EQ(predict({-5, -2, -9}), 1);
}

TEST(Predict, TreatsNanAsSmallerThanEveryNumber) {
  EXPECT_EQ(predict({kNan, -3, kNan, -1}), 3);
  EXPECT_EQ(predict({kNan, -kInf}), 1);
  EXPECT_EQ(predict({4, kNan}), 0);
}

TEST(Predict, GivesNoPredictionWithoutAnyNumber) {
  EXPECT_EQ(predict({kNan, kNan}), kNoPrediction);
  EXPECT_EQ(predict({}), kNoPrediction);
}

TEST(InTop, CountsClassesBeforeTheLabel) {
  const std::vector<float> logits = {6, 5, 4, 3, 2, 1};
  EXPECT_TRUE(in_top(logits, 4, 5));
  EXPECT_FALSE(in_top(logits, 5, 5));
  EXPECT_TRUE(in_top(logits, 0, 1));
  EXPECT_FALSE(in_top(logits, 1, 1));
}

TEST(InTop, BreaksTiesByIndexAsPredictDoes) {
  const std::vector<float> equal(7, 1.0F);
  EXPECT_TRUE(in_top(equal, 4, 5));
  EXPECT_FALSE(in_top(equal, 5, 5));
}

TEST(InTop, IsFalseForNanAndForLabelsThatAreNoClass) {
  EXPECT_FALSE(in_top({kNan, 1}, 0, 5));
  EXPECT_TRUE(in_top({kNan, 1}, 1, 1));
  EXPECT_FALSE(in_top({1, 2}, 2, 5));
  EXPECT_FALSE(in_top({1, 2}, -1, 5));
}

TEST(Accuracy, IsAFractionAndZeroForNoImages) {
  EXPECT_DOUBLE_EQ((Accuracy{8, 6, 7}).top1(), 0.75);
  EXPECT_DOUBLE_EQ((Accuracy{8, 6, 7}).top5(), 0.875);
  EXPECT_DOUBLE_EQ((Accuracy{}).top1(), 0);
}

TEST(Compare, CountsAgreementAndTheTwoKindsOfDisagreement) {
  const std::vector<int64_t> first = {1, 2, 3, 4, kNoPrediction};
  const std::vector<int64_t> second = {1, 2, 5, 6, kNoPrediction};
  const std::vector<uint8_t> first_right = {1, 0, 1, 0, 0};
  const std::vector<uint8_t> second_right = {1, 0, 0, 1, 0};
  const PairedCounts counts = compare({first, first_right}, {second, second_right});
  EXPECT_EQ(counts.count, 5);
  EXPECT_EQ(counts.agreeing, 2);
  EXPECT_EQ(counts.only_first_right, 1);
  EXPECT_EQ(counts.only_second_right, 1);
}

TEST(Compare, RefusesTwoLengths) {
  const std::vector<int64_t> one = {1};
  const std::vector<int64_t> two = {1, 2};
  const std::vector<uint8_t> right_one = {1};
  const std::vector<uint8_t> right_two = {1, 1};
  EXPECT_THROW(compare({one, right_one}, {two, right_two}), InternalError);
}

// n = 98, b = 7, c = 3: p_b = 8/100, p_c = 4/100, centre -0.04,
// half width 1.959964 sqrt((0.12 - 0.0016) / 100) = 1.959964 * 0.03440930 = 0.06744099.
TEST(PairedDifference, MatchesHandComputedInterval) {
  const Interval interval = paired_difference({98, 80, 7, 3});
  EXPECT_NEAR(interval.difference, -4.0 / 98.0, 1e-12);
  EXPECT_NEAR(interval.low, -0.10744099, 1e-7);
  EXPECT_NEAR(interval.high, 0.02744099, 1e-7);
}

// n = 298, b = c = 0: half width 1.959964 sqrt((2/300) / 300) = 0.00923936.
TEST(PairedDifference, HasAWidthWhereTheTwoNeverDiffer) {
  const Interval interval = paired_difference({298, 298, 0, 0});
  EXPECT_EQ(interval.difference, 0);
  EXPECT_NEAR(interval.low, -0.00923936, 1e-7);
  EXPECT_NEAR(interval.high, 0.00923936, 1e-7);
}

TEST(PairedDifference, StaysWithinOne) {
  const Interval worse = paired_difference({3, 0, 3, 0});
  EXPECT_EQ(worse.difference, -1);
  EXPECT_EQ(worse.low, -1);
  // Centre (1 - 4) / 5, half width 1.959964 sqrt((1 - 0.36) / 5) = 0.70121808.
  EXPECT_NEAR(worse.high, 0.10121808, 1e-7);
}

TEST(PairedDifference, IsOddInItsArguments) {
  const Interval one = paired_difference({50, 40, 6, 2});
  const Interval other = paired_difference({50, 40, 2, 6});
  EXPECT_DOUBLE_EQ(one.low, -other.high);
  EXPECT_DOUBLE_EQ(one.high, -other.low);
}

}  // namespace
}  // namespace ptq::eval
