#include "ptq/data/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "data/checksums.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

constexpr uint64_t kSeed = 123456;

// Classes of 10, 10, 2 and 10 images.
ImageFolder uneven_folder() {
  ImageFolder folder;
  folder.classes = {"a", "b", "c", "d"};
  for (const int64_t label : {0, 1, 2, 3}) {
    for (int i = 0; i < (label == 2 ? 2 : 10); ++i) folder.items.push_back({"image", label});
  }
  return folder;
}

std::map<int64_t, int> images_of_each_class(const ImageFolder& folder,
                                            const std::vector<int64_t>& items) {
  std::map<int64_t, int> counts;
  for (const int64_t item : items) ++counts[folder.items.at(static_cast<size_t>(item)).label];
  return counts;
}

std::vector<int64_t> draw(int64_t count, CalibrationSampling sampling, uint64_t seed = kSeed) {
  return draw_calibration_items(uneven_folder(), count, sampling, seed);
}

TEST(DrawCalibrationItems, FirstTakesThemInOrder) {
  EXPECT_EQ(draw(4, CalibrationSampling::kFirst), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_TRUE(draw(0, CalibrationSampling::kFirst).empty());
}

TEST(DrawCalibrationItems, NoSamplingDrawsAnImageTwice) {
  for (const auto sampling : {CalibrationSampling::kFirst, CalibrationSampling::kRandom,
                              CalibrationSampling::kStratified}) {
    for (const int64_t count : {1, 7, 31, 32}) {
      const std::vector<int64_t> items = draw(count, sampling);
      EXPECT_EQ(std::set<int64_t>(items.begin(), items.end()).size(), static_cast<size_t>(count));
      EXPECT_GE(*std::min_element(items.begin(), items.end()), 0);
      EXPECT_LT(*std::max_element(items.begin(), items.end()), 32);
    }
  }
}

TEST(DrawCalibrationItems, StratifiedKeepsEveryPrefixBalanced) {
  const ImageFolder folder = uneven_folder();
  const std::vector<int64_t> items = draw(32, CalibrationSampling::kStratified);
  for (size_t count = 1; count <= items.size(); ++count) {
    const std::vector<int64_t> prefix(items.begin(), items.begin() + static_cast<int64_t>(count));
    std::map<int64_t, int> counts = images_of_each_class(folder, prefix);
    const auto [least, most] = std::minmax({counts[0], counts[1], counts[3]});
    EXPECT_LE(most - least, 1) << count;
    EXPECT_EQ(counts[2], std::min(2, std::max(counts[2], least))) << count;
  }
}

TEST(DrawCalibrationItems, TheSeedDecides) {
  for (const auto sampling : {CalibrationSampling::kRandom, CalibrationSampling::kStratified}) {
    EXPECT_EQ(draw(12, sampling, 1), draw(12, sampling, 1));
    EXPECT_NE(draw(12, sampling, 1), draw(12, sampling, 2));
  }
}

// A 64-bit Mersenne twister and the shuffle of sampling.cpp, worked out in another language.
TEST(DrawCalibrationItems, ASeedMeansTheSameEverywhere) {
  EXPECT_EQ(draw(8, CalibrationSampling::kRandom),
            (std::vector<int64_t>{11, 22, 26, 1, 9, 17, 10, 12}));
}

TEST(DrawCalibrationItems, RandomReachesEveryImageAboutEquallyOften) {
  std::map<int64_t, int> times;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    for (const int64_t item : draw(8, CalibrationSampling::kRandom, seed)) ++times[item];
  }
  // 2000 * 8 / 32 = 500 times each, with a standard deviation of 19.4.
  for (int64_t item = 0; item < 32; ++item) EXPECT_NEAR(times[item], 500, 97) << item;
}

TEST(DrawCalibrationItems, RefusesMoreThanThereAre) {
  EXPECT_EQ(message_of<DataError>([] { draw(33, CalibrationSampling::kRandom); }),
            "33 calibration images were asked for, but the folder has 32");
}

}  // namespace
}  // namespace ptq::data
