#include "eval/function_change.h"

#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>

#include <cmath>

#include "eval/sqnr.h"
#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

at::Tensor logits() {
  at::Tensor values = at::full({4, 3}, 1.0F);
  values.select(1, 2).fill_(10);  // every image is of class 2
  return values;
}

TEST(FunctionChange, IsNoneWhereNothingChanged) {
  const FunctionChange change = function_change("merging", logits(), logits());
  EXPECT_EQ(change.agreeing, 4);
  EXPECT_EQ(change.lowest_sqnr, kNoNoise);
  EXPECT_TRUE(change.is_rounding());
}

TEST(FunctionChange, IsRoundingWhereItIsAMillionth) {
  const FunctionChange change = function_change("merging", logits(), logits().mul(1 + 1e-6));
  EXPECT_GT(change.lowest_sqnr, 100);
  EXPECT_TRUE(change.is_rounding());
}

TEST(FunctionChange, IsMoreThanRoundingWhereOneImageOfManyChanges) {
  at::Tensor after = logits();
  after[1][2] = 0.5;
  const FunctionChange change = function_change("clipping", logits(), after);
  EXPECT_EQ(change.agreeing, 3);
  EXPECT_GT(change.sqnr, 100) << "three of four are untouched";
  EXPECT_LT(change.lowest_sqnr, 1);
  EXPECT_FALSE(change.is_rounding());
  EXPECT_THAT(words_of(change), ::testing::HasSubstr("3 of 4 answers are equal"));
}

TEST(FunctionChange, IsMoreThanRoundingWhereValuesStopBeingFinite) {
  at::Tensor after = logits();
  after[3][0] = std::nanf("");
  EXPECT_FALSE(function_change("merging", logits(), after).is_rounding());
}

TEST(FunctionChange, LeavesOutImagesThatWereNotFiniteBefore) {
  at::Tensor broken = logits();
  broken[3][0] = INFINITY;
  EXPECT_TRUE(function_change("merging", broken, broken).is_rounding());
}

TEST(FunctionChange, NeedsLogitsOfOneSize) {
  EXPECT_THROW(function_change("merging", logits(), at::rand({4, 2})), InternalError);
}

}  // namespace
}  // namespace ptq::eval
