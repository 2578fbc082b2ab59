#include "import/guard/budget.h"

#include <gtest/gtest.h>

namespace ptq::import {
namespace {

constexpr uint64_t kSmallFile = 1'000'000;
constexpr uint64_t kMaxVitTiny = 125'000'000;

TEST(Budget, EndsASmallFileWithinSeconds) { EXPECT_LE(Budget::most_seconds(kSmallFile, 224), 6); }

TEST(Budget, GivesLargeNetworksTwiceWhatTheyTakeOnASlowCore) {
  constexpr double kOnASlowCore = 11.5;
  EXPECT_GE(Budget::most_seconds(kMaxVitTiny, 224), 2 * kOnASlowCore);
}

TEST(Budget, GrowsWithThePixelsOfAnImage) {
  const double usual = Budget::most_seconds(kMaxVitTiny, 224);
  const double most_of_none = Budget::most_seconds(0, 448);
  EXPECT_DOUBLE_EQ(Budget::most_seconds(kMaxVitTiny, 448) - most_of_none,
                   4 * (usual - most_of_none));
  EXPECT_DOUBLE_EQ(Budget::most_seconds(kMaxVitTiny, 64), usual);
}

}  // namespace
}  // namespace ptq::import
