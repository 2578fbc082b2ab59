#include "eval/logit_parity.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace ptq::eval {
namespace {

at::Tensor rows(const std::vector<float>& values, int64_t classes) {
  return at::tensor(values).reshape({-1, classes});
}

std::map<std::string, int64_t> bins(const LogitParity& parity) {
  std::map<std::string, int64_t> map;
  for (const LogitParity::Bin& bin : parity.histogram) map[bin.difference] = bin.logits;
  return map;
}

using Bins = std::map<std::string, int64_t>;

TEST(LogitParity, CountsEqualPredictionsAndNamesTheOtherRows) {
  const LogitParity parity =
      compare_logits(rows({1, 2, 5, 4, 0, 3}, 2), rows({2, 1, 9, 1, 0, 3}, 2), {});
  EXPECT_EQ(parity.images, 3);
  EXPECT_EQ(parity.agreeing, 2);
  ASSERT_EQ(parity.disagreeing.size(), 1U);
  EXPECT_EQ(parity.disagreeing[0].row, 0);
  EXPECT_DOUBLE_EQ(parity.disagreeing[0].margin, 1.0 / 5);
  EXPECT_DOUBLE_EQ(parity.largest_margin, 1.0 / 5);
}

TEST(LogitParity, CountsStepsOfTheLastScale) {
  const LogitParity parity =
      compare_logits(rows({0, 0.5F, 1, 1.5F, 2, -3}, 3), rows({0, 0.5F, 1.5F, 1.5F, 1, 7}, 3), 0.5);
  EXPECT_EQ(bins(parity), (Bins{{"0", 3}, {"1", 1}, {"2", 1}, {"16 and more", 1}}));
  EXPECT_EQ(parity.largest_difference, 20);
}

TEST(LogitParity, CountsPartsOfTheLargestLogitWithoutAStep) {
  const LogitParity parity =
      compare_logits(rows({-100, 1, 0}, 3), rows({-100, 1.05F, 0.0005F}, 3), {});
  EXPECT_EQ(bins(parity), (Bins{{"0", 1}, {"up to 1e-05", 1}, {"up to 1e-03", 1}}));
  EXPECT_NEAR(parity.largest_difference, 0.0005, 1e-6);
}

TEST(LogitParity, TakesNanForEqualToNanAlone) {
  const LogitParity parity = compare_logits(rows({NAN, NAN, 2}, 3), rows({NAN, 1, 2}, 3), 1.0);
  EXPECT_EQ(bins(parity), (Bins{{"0", 2}, {"16 and more", 1}}));
}

}  // namespace
}  // namespace ptq::eval
