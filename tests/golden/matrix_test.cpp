#include "golden/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/npy.h"
#include "support/temporary_folder.h"

namespace ptq::golden {
namespace {

using ::testing::ElementsAre;

TEST(Matrix, IsReadAsItWasWritten) {
  const support::TemporaryFolder folder;
  const float values[] = {1, -2, 3, 4, 5, 6};
  write_npy(folder.file("m.npy"), values, 3, 2);
  const Matrix matrix = read_npy(folder.path() + "/m.npy");
  EXPECT_EQ(matrix.rows, 3);
  EXPECT_EQ(matrix.columns, 2);
  EXPECT_THAT(matrix.values, ElementsAre(1, -2, 3, 4, 5, 6));
  EXPECT_THAT(head(matrix, 2).values, ElementsAre(1, -2, 3, 4));
}

TEST(Matrix, ErrorIsRelativeToTheLargest) {
  EXPECT_DOUBLE_EQ(relative_error({1, 2, {1, 8}}, {1, 2, {2, -10}}), 1.8);
  EXPECT_TRUE(std::isinf(relative_error({1, 2, {1, 8}}, {2, 1, {1, 8}})));
  EXPECT_TRUE(std::isinf(relative_error({1, 1, {std::nanf("")}}, {1, 1, {1}})));
}

TEST(Matrix, CosineIsThatOfTheAngle) {
  EXPECT_NEAR(cosine({1, 2, {1, 1}}, {1, 2, {1, 0}}), std::sqrt(0.5), 1e-12);
  EXPECT_EQ(cosine({1, 2, {1, 1}}, {2, 1, {1, 0}}), 0);
}

TEST(Matrix, LargestDifferenceIsAbsolute) {
  EXPECT_DOUBLE_EQ(largest_difference({1, 2, {1, 8}}, {1, 2, {2, -10}}), 18);
}

// Two rows: 10 log10(25 / 0.25) = 20 dB and 10 log10(4 / 0.4) = 10 dB.
TEST(Matrix, SqnrIsTheMeanOfThatOfEachRow) {
  const Matrix exact{2, 2, {3, 4, 2, 0}};
  const Matrix quantized{2, 2, {3, 4.5, 2, std::sqrt(0.4F)}};
  EXPECT_NEAR(mean_sqnr(exact, quantized), 15, 1e-5);
}

TEST(Matrix, RowsWithoutNoiseCountAsAHundredAndFiftyDecibels) {
  EXPECT_NEAR(mean_sqnr({2, 1, {10, 1}}, {2, 1, {11, 1}}), (20 + 150) / 2.0, 1e-12);
}

TEST(Matrix, SqnrOfWhatIsNotFiniteIsMinusInfinity) {
  EXPECT_EQ(mean_sqnr({1, 1, {1}}, {1, 1, {std::nanf("")}}), -INFINITY);
  EXPECT_EQ(mean_sqnr({1, 1, {1}}, {1, 2, {1, 1}}), -INFINITY);
}

TEST(Matrix, MarginIsThatOfTheLabelOverTheBestOther) {
  EXPECT_THAT(margins({3, 3, {1, 5, 2, 1, 5, 2, -1, -2, -3}}, {1, 2, 0}), ElementsAre(3, -3, 1));
}

}  // namespace
}  // namespace ptq::golden
