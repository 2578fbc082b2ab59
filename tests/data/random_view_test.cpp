#include "data/random_view.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "data/image.h"
#include "data/pixel_bytes.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

cv::Mat noise(int width, int height) {
  cv::Mat image(height, width, CV_8UC3);
  uint32_t state = 7;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < 3 * width; ++x) {
      state = state * 1664525U + 1013904223U;
      image.ptr(y)[x] = static_cast<uint8_t>(state >> 24);
    }
  }
  return image;
}

Recipe recipe_of(int64_t crop) {
  Recipe recipe;
  recipe.resize = crop;
  recipe.crop = crop;
  return recipe;
}

Augmentation views_of(double smallest_area, uint64_t seed = 5) { return {1, smallest_area, seed}; }

std::vector<uint8_t> mirrored(std::vector<uint8_t> crop, int64_t size) {
  for (int64_t y = 0; y < size; ++y) {
    for (int64_t x = 0; x < size / 2; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        std::swap(crop[static_cast<size_t>((y * size + x) * 3 + c)],
                  crop[static_cast<size_t>((y * size + size - 1 - x) * 3 + c)]);
      }
    }
  }
  return crop;
}

TEST(RandomView, LiesWithinTheImageWithTheAreaAndSidesThatAreAllowed) {
  for (const auto& [width, height] :
       {std::pair<int64_t, int64_t>{500, 375}, {120, 400}, {64, 64}}) {
    for (int64_t item = 0; item < 200; ++item) {
      const View view = random_view(width, height, views_of(0.25), item, 0);
      ASSERT_GE(view.columns.begin, 0);
      ASSERT_GE(view.rows.begin, 0);
      ASSERT_LE(view.columns.end, width);
      ASSERT_LE(view.rows.end, height);
      const auto w = static_cast<double>(view.columns.size());
      const auto h = static_cast<double>(view.rows.size());
      // Sides are whole pixels.
      EXPECT_GE((w + 1) * (h + 1), 0.25 * static_cast<double>(width * height));
      EXPECT_GE((w + 1) / h, 0.75);
      EXPECT_LE((w - 1) / h, 4.0 / 3);
    }
  }
}

TEST(RandomView, DiffersByItemNumberAndSeedAndByNothingElse) {
  std::set<std::pair<int64_t, int64_t>> corners;
  int mirrors = 0;
  for (int64_t item = 0; item < 20; ++item) {
    for (int64_t number = 0; number < 20; ++number) {
      const View view = random_view(5000, 4000, views_of(0.1), item, number);
      const View again = random_view(5000, 4000, views_of(0.1), item, number);
      EXPECT_EQ(view.columns.begin, again.columns.begin);
      EXPECT_EQ(view.rows.end, again.rows.end);
      EXPECT_EQ(view.is_mirrored, again.is_mirrored);
      corners.insert({view.columns.begin, view.rows.begin});
      mirrors += view.is_mirrored ? 1 : 0;
    }
  }
  EXPECT_GT(corners.size(), 390U);
  // Of 400, with a deviation of 10.
  EXPECT_GT(mirrors, 150);
  EXPECT_LT(mirrors, 250);
  EXPECT_NE(random_view(5000, 4000, views_of(0.1, 1), 0, 0).columns.begin,
            random_view(5000, 4000, views_of(0.1, 2), 0, 0).columns.begin);
}

TEST(RandomView, IsTheCentreWhereNothingThatIsDrawnFits) {
  const View view = random_view(100, 10, views_of(0.9), 0, 0);
  EXPECT_EQ(view.columns.begin, 43);
  EXPECT_EQ(view.columns.end, 56);
  EXPECT_EQ(view.rows.begin, 0);
  EXPECT_EQ(view.rows.end, 10);
  const View tall = random_view(10, 100, views_of(0.9), 0, 0);
  EXPECT_EQ(tall.columns.size(), 10);
  EXPECT_EQ(tall.rows.size(), 13);
}

TEST(RandomView, OfAWholeSquareIsItsCrop) {
  const cv::Mat image = noise(40, 40);
  const Recipe recipe = recipe_of(24);
  const std::vector<uint8_t> crop = bytes_of(resize_and_crop(image, recipe));
  EXPECT_EQ(bytes_of(crop_of_view(image, {{0, 40}, {0, 40}, false}, recipe)), crop);
  EXPECT_EQ(bytes_of(crop_of_view(image, {{0, 40}, {0, 40}, true}, recipe)), mirrored(crop, 24));
}

/// Pillow resizes what was cut out, and does not look beyond its edges.
TEST(RandomView, OfAPartIsThatOfThePartAlone) {
  const cv::Mat image = noise(50, 40);
  const Recipe recipe = recipe_of(16);
  const cv::Mat part = image(cv::Range(3, 33), cv::Range(20, 50)).clone();
  EXPECT_EQ(bytes_of(crop_of_view(image, {{20, 50}, {3, 33}, false}, recipe)),
            bytes_of(resize_and_crop(part, recipe)));
}

TEST(RandomView, RefusesAreasAndNumbersThatMakeNoSense) {
  EXPECT_THROW(check_augmentation({-1, 0.5, 0}), ConfigError);
  EXPECT_THROW(check_augmentation({1, 0, 0}), ConfigError);
  EXPECT_THROW(check_augmentation({1, 1.5, 0}), ConfigError);
  EXPECT_THROW(check_augmentation({1, std::nan(""), 0}), ConfigError);
  check_augmentation({0, 1, 0});
}

}  // namespace
}  // namespace ptq::data
