#include "eval/holm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace ptq::eval {
namespace {

using ::testing::ElementsAre;

std::vector<bool> rejected(const std::vector<double>& p) {
  return holm(p.size(), 0.05, [&](size_t test, double level) { return p[test] <= level; });
}

TEST(Holm, ComparesEachWithTheNumberOfThoseLeft) {
  EXPECT_THAT(rejected({0.024, 0.01, 0.2, 0.015}), ElementsAre(true, true, false, true));
  EXPECT_THAT(rejected({0.024, 0.01, 0.2, 0.018}), ElementsAre(false, true, false, false));
  EXPECT_THAT(rejected({0.013, 0.014, 0.014, 0.014}), ElementsAre(false, false, false, false));
  EXPECT_THAT(rejected({0.05}), ElementsAre(true));
  EXPECT_TRUE(rejected({}).empty());
}

TEST(Holm, RejectsNoneOfManyTrueHypothesesAsOftenAsTheLevelSays) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  int wrong = 0;
  constexpr int kFamilies = 4000;
  for (int family = 0; family < kFamilies; ++family) {
    std::vector<double> p(20);
    for (double& each : p) each = uniform(random);
    const std::vector<bool> found = rejected(p);
    wrong += std::find(found.begin(), found.end(), true) != found.end() ? 1 : 0;
  }
  // 5 % and four standard deviations; without correction it would be 64 %.
  EXPECT_LT(wrong, kFamilies * (0.05 + 4 * 0.00345));
  EXPECT_GT(wrong, kFamilies * 0.03);
}

}  // namespace
}  // namespace ptq::eval
