#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <vector>

#include "data/image.h"
#include "data/pixel_bytes.h"

namespace ptq::data {
namespace {

using Bytes = std::vector<uint8_t>;
using Pattern = std::function<int(int64_t x, int64_t y, int c)>;

cv::Mat image_of(int width, int height, const Pattern& pattern) {
  cv::Mat image(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        image.ptr(y, x)[2 - c] = static_cast<uint8_t>(pattern(x, y, c));
      }
    }
  }
  return image;
}

Bytes crop_of(const cv::Mat& image, const Recipe& recipe) {
  return bytes_of(resize_and_crop(image, recipe));
}

int restless(int64_t x, int64_t y, int c) {
  return static_cast<int>((31 * x + 57 * y + 101 * c + 7 * x * x + 13 * y * c) % 256);
}

// A pixel tells where it was: column + 1, row + 1, and 9 wherever the image is.
int place(int64_t x, int64_t y, int c) {
  return static_cast<int>(c == 0 ? x + 1 : c == 1 ? y + 1 : 9);
}

Recipe recipe_of(int64_t resize, int64_t crop, Interpolation interpolation) {
  Recipe recipe;
  recipe.resize = resize;
  recipe.crop = crop;
  recipe.interpolation = interpolation;
  return recipe;
}

Bytes pixel_at(const Bytes& crop, int64_t size, int64_t x, int64_t y) {
  const auto at = crop.begin() + (y * size + x) * 3;
  return {at, at + 3};
}

// The four vectors are what torchvision 0.14.1 on Pillow 9.4.0 gives for the same pattern.
TEST(ResizeAndCrop, ReducesLikePillowBilinear) {
  const Bytes expected = {129, 94,  112, 140, 122, 99, 148, 124, 137, 145, 125, 148,
                          117, 104, 118, 118, 143, 99, 137, 139, 118, 137, 137, 125,
                          85,  135, 113, 136, 109, 85, 126, 135, 129, 124, 139, 134,
                          156, 106, 101, 106, 151, 99, 111, 126, 107, 110, 135, 120};
  EXPECT_EQ(crop_of(image_of(11, 7, restless), recipe_of(4, 4, Interpolation::kBilinear)),
            expected);
}

TEST(ResizeAndCrop, ReducesLikePillowBicubic) {
  const Bytes expected = {139, 83,  113, 142, 122, 95, 144, 127, 137, 146, 121, 156,
                          112, 102, 116, 115, 149, 95, 142, 140, 120, 138, 139, 126,
                          73,  138, 115, 142, 100, 81, 126, 138, 129, 124, 143, 140,
                          170, 103, 97,  103, 154, 94, 108, 122, 108, 110, 135, 122};
  EXPECT_EQ(crop_of(image_of(11, 7, restless), recipe_of(4, 4, Interpolation::kBicubic)), expected);
}

TEST(ResizeAndCrop, EnlargesLikePillowBilinear) {
  const Bytes expected = {22, 123, 224, 38, 139, 240, 60,  161, 153, 83,  184, 65,
                          28, 130, 207, 44, 146, 223, 66,  157, 147, 89,  169, 70,
                          51, 158, 138, 67, 174, 154, 89,  142, 121, 112, 109, 89,
                          73, 186, 68,  89, 202, 84,  111, 126, 95,  134, 49,  107};
  EXPECT_EQ(crop_of(image_of(3, 2, restless), recipe_of(5, 4, Interpolation::kBilinear)), expected);
}

TEST(ResizeAndCrop, EnlargesLikePillowBicubic) {
  const Bytes expected = {12, 110, 255, 32, 132, 255, 57,  168, 159, 79,  202, 50,
                          22, 125, 225, 42, 144, 229, 67,  161, 149, 89,  175, 60,
                          47, 163, 142, 67, 174, 154, 92,  143, 123, 114, 106, 85,
                          71, 200, 59,  91, 204, 78,  116, 125, 96,  138, 36,  110};
  EXPECT_EQ(crop_of(image_of(3, 2, restless), recipe_of(5, 4, Interpolation::kBicubic)), expected);
}

TEST(ResizeAndCrop, AnImageOfTheRightSizeStaysAsItIs) {
  const cv::Mat image = image_of(8, 8, restless);
  for (const Interpolation interpolation : {Interpolation::kBilinear, Interpolation::kBicubic}) {
    EXPECT_EQ(crop_of(image, recipe_of(8, 8, interpolation)), red_first(image));
  }
}

TEST(ResizeAndCrop, AConstantImageStaysConstant) {
  for (const int level : {0, 1, 128, 254, 255}) {
    const cv::Mat image = image_of(53, 31, [&](int64_t, int64_t, int) { return level; });
    for (const int64_t resize : {7, 16, 31, 64}) {
      for (const Interpolation filter : {Interpolation::kBilinear, Interpolation::kBicubic}) {
        const Bytes crop = crop_of(image, recipe_of(resize, 7, filter));
        EXPECT_EQ(crop, Bytes(crop.size(), static_cast<uint8_t>(level))) << resize;
      }
    }
  }
}

// The weights are mirrored except for their last bit, which may tip a rounding.
TEST(ResizeAndCrop, AFlippedImageGivesTheFlippedCrop) {
  const int width = 41, height = 23, crop = 12;
  const cv::Mat image = image_of(width, height, restless);
  const cv::Mat flipped = image_of(
      width, height, [&](int64_t x, int64_t y, int c) { return restless(width - 1 - x, y, c); });
  for (const Interpolation filter : {Interpolation::kBilinear, Interpolation::kBicubic}) {
    const Recipe recipe = recipe_of(14, crop, filter);  // 14 x 24: the margins are whole
    const Bytes straight = crop_of(image, recipe);
    const Bytes mirrored = crop_of(flipped, recipe);
    for (int64_t y = 0; y < crop; ++y) {
      for (int64_t x = 0; x < crop; ++x) {
        const Bytes a = pixel_at(straight, crop, x, y);
        const Bytes b = pixel_at(mirrored, crop, crop - 1 - x, y);
        for (size_t c = 0; c < 3; ++c) EXPECT_LE(std::abs(a[c] - b[c]), 1) << x << " " << y;
      }
    }
  }
}

TEST(ResizeAndCrop, RoundsHalfMarginsToEven) {
  struct Case {
    int width, height, first_column, first_row;
  };
  // Margins of 1, 3 and 5 pixels: halves 0.5, 1.5, 2.5 become 0, 2, 2.
  for (const Case& c : {Case{5, 4, 0, 0}, Case{7, 4, 2, 0}, Case{9, 4, 2, 0}, Case{4, 5, 0, 0},
                        Case{4, 7, 0, 2}, Case{4, 9, 0, 2}}) {
    const Bytes crop =
        crop_of(image_of(c.width, c.height, place), recipe_of(4, 4, Interpolation::kBilinear));
    EXPECT_EQ(crop[0], c.first_column + 1) << c.width << " x " << c.height;
    EXPECT_EQ(crop[1], c.first_row + 1) << c.width << " x " << c.height;
  }
}

TEST(ResizeAndCrop, PutsZerosAroundAnImageSmallerThanTheCrop) {
  const Bytes none = {0, 0, 0};
  const Bytes even = crop_of(image_of(3, 3, place), recipe_of(3, 5, Interpolation::kBilinear));
  EXPECT_EQ(pixel_at(even, 5, 0, 2), none);
  EXPECT_EQ(pixel_at(even, 5, 1, 1), (Bytes{1, 1, 9}));
  EXPECT_EQ(pixel_at(even, 5, 3, 3), (Bytes{3, 3, 9}));
  EXPECT_EQ(pixel_at(even, 5, 4, 2), none);
  // Of three rows of zeros, one stands above; one axis may be padded and the other cropped.
  const Bytes odd = crop_of(image_of(9, 4, place), recipe_of(4, 7, Interpolation::kBilinear));
  EXPECT_EQ(pixel_at(odd, 7, 0, 0), none);
  EXPECT_EQ(pixel_at(odd, 7, 0, 1), (Bytes{2, 1, 9}));
  EXPECT_EQ(pixel_at(odd, 7, 6, 4), (Bytes{8, 4, 9}));
  EXPECT_EQ(pixel_at(odd, 7, 6, 5), none);
}

TEST(ResizeAndCrop, CutsTheLongSideOffToWholePixels) {
  // 10 * 7 / 4 = 17.5 columns: 17 of them, so that a crop of 10 leaves 7 and begins at 3.5 -> 4.
  const cv::Mat ramp =
      image_of(7, 4, [](int64_t x, int64_t, int) { return static_cast<int>(36 * x); });
  const Bytes crop = crop_of(ramp, recipe_of(10, 10, Interpolation::kBilinear));
  // Column 4 of 17 has its centre at 4.5 * 7 / 17 - 0.5 = 1.353 of the source.
  EXPECT_EQ(crop[0], 49);
}

}  // namespace
}  // namespace ptq::data
