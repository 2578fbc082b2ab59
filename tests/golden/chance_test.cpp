#include "golden/chance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ptq::golden {
namespace {

TEST(ExpectedDiscordant, CountsHalfOfTheMovesThatExceedAMargin) {
  // Of the four moves 0 exceed 5, 1 exceeds 2.5, 2 exceed -1.5, 4 exceed 0.
  EXPECT_DOUBLE_EQ(expected_discordant({5, 2.5, -1.5, 0}, {-3, 2, 1, -0.5}),
                   (0 + 1 + 2 + 4) / 2.0 / 4);
  EXPECT_EQ(expected_discordant({1, -1}, {0, 0}), 0);
}

TEST(ChanceOfCoins, IsTheExactBinomialTest) {
  EXPECT_NEAR(chance_of_coins(5, 5), 2.0 / 32, 1e-12);
  EXPECT_NEAR(chance_of_coins(-5, 5), 2.0 / 32, 1e-12);
  EXPECT_NEAR(chance_of_coins(6, 10), 2 * (1 + 10 + 45) / 1024.0, 1e-12);
  EXPECT_NEAR(chance_of_coins(0, 10), 1, 1e-12);
  EXPECT_EQ(chance_of_coins(11, 10), 0);
  EXPECT_NEAR(chance_of_coins(0, 0), 1, 1e-12);
}

TEST(ChanceOfDifference, AveragesOverTheNumberOfCoins) {
  // The difference of two Poisson numbers of mean 1 is d with chance I_d(2) / e^2; I_d(2) of 3 to 7
  // is 0.212740, 0.050729, 0.009826, 0.001600, 0.000225.
  EXPECT_NEAR(chance_of_difference(3, 2), 2 * 0.275147 / std::exp(2), 1e-5);
  // Chance of no coin, or of as many heads as tails: I_0(2) = 2.279585.
  EXPECT_NEAR(1 - chance_of_difference(1, 2), 2.279585 / std::exp(2), 1e-6);
  EXPECT_NEAR(chance_of_difference(0, 2), 1, 1e-12);
  EXPECT_EQ(chance_of_difference(1, 0), 0);
  EXPECT_NEAR(chance_of_difference(0, 0), 1, 1e-12);
}

// What the bound leaves free: four standard deviations of the square root of the number in doubt.
TEST(ChanceOfDifference, LeavesRoomForAboutFourStandardDeviations) {
  for (const double discordant : {25.0, 100.0}) {
    const double deviation = std::sqrt(discordant);
    EXPECT_GT(chance_of_difference(static_cast<int>(3.5 * deviation), discordant), kLeastChance);
    EXPECT_LT(chance_of_difference(static_cast<int>(4.5 * deviation), discordant), kLeastChance);
  }
}

}  // namespace
}  // namespace ptq::golden
