#include "eval/divergence.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

at::Tensor logits(std::vector<float> values, int64_t classes) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size()) / classes, classes})
      .clone();
}

TEST(Divergences, AreThoseOfTheSoftmax) {
  // Probabilities 1/2, 1/2 and 1/4, 3/4, whatever is added to all logits.
  const float log3 = std::log(3.0F);
  const auto rows = divergences(logits({7, 7, 5, 5}, 2), logits({1, 1 + log3, 5, 5}, 2));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_NEAR(rows[0], 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3), 1e-6);
  EXPECT_EQ(rows[1], 0);
}

TEST(Divergences, DoNotOverflow) {
  const auto rows = divergences(logits({1000, 0}, 2), logits({0, 1000}, 2));
  EXPECT_NEAR(rows[0], 1000, 1e-6);
}

TEST(Divergences, AreInfiniteWhereLogitsAreNoNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isinf(divergences(logits({1, 2}, 2), logits({nan, 2}, 2))[0]));
}

TEST(Divergences, RefuseOtherSizes) {
  EXPECT_THROW(divergences(at::zeros({1, 2}), at::zeros({1, 3})), InternalError);
}

TEST(RankCorrelation, LooksAtRanksAlone) {
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3}, {1, 100, 1e9}), 1);
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3}, {3, 2, 1}), -1);
  EXPECT_DOUBLE_EQ(rank_correlation({1, 1, 1}, {3, 2, 1}), 0);
  // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
  EXPECT_NEAR(rank_correlation({1, 2, 2, 3}, {1, 2, 3, 4}), 4.5 / std::sqrt(4.5 * 5), 1e-12);
}

}  // namespace
}  // namespace ptq::eval
