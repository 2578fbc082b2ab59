#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "data/checksums.h"
#include "data/image.h"

namespace ptq::data {
namespace {

// The fixtures of one suffix against Pillow: whole images, and crops by the two recipes of
// fixtures.crc32, of which the second enlarges and pads.
void expect_as_pillow(const std::string& suffix, size_t count) {
  Recipe shrink;
  shrink.resize = 24;
  shrink.crop = 20;
  Recipe enlarge;
  enlarge.resize = 50;
  enlarge.crop = 61;
  enlarge.interpolation = Interpolation::kBicubic;
  size_t seen = 0;
  for (const ExpectedChecksums& expected : read_checksums(test_file("fixtures.crc32"))) {
    if (expected.path.substr(expected.path.find('.')) != suffix) continue;
    ++seen;
    const Image image = decode_image(test_file("fixtures/" + expected.path));
    EXPECT_EQ(checksum(image.pixels), expected.sums.at(0)) << expected.path;
    EXPECT_EQ(checksum(resize_and_crop(image, shrink)), expected.sums.at(1)) << expected.path;
    EXPECT_EQ(checksum(resize_and_crop(image, enlarge)), expected.sums.at(2)) << expected.path;
  }
  EXPECT_EQ(seen, count);
}

TEST(DecodeImage, ReadsGreyColourProgressiveAndInkJpegsAsPillow) { expect_as_pillow(".jpg", 8); }

TEST(DecodeImage, ReadsEveryDepthAndPaletteOfPngAsPillow) { expect_as_pillow(".png", 18); }

TEST(DecodeImage, ReadsLossyLosslessAndMovingWebpAsPillow) { expect_as_pillow(".webp", 5); }

TEST(DecodeImage, ReadsEveryLayoutOfTiffAsPillow) { expect_as_pillow(".tif", 23); }

TEST(DecodeImage, ReadsEveryDepthAndCompressionOfBmpAsPillow) { expect_as_pillow(".bmp", 12); }

TEST(DecodeImage, TheFixturesShowDifferentPictures) {
  std::set<uint32_t> pictures;
  const auto all = read_checksums(test_file("fixtures.crc32"));
  for (const ExpectedChecksums& expected : all) pictures.insert(expected.sums.at(0));
  EXPECT_GT(pictures.size(), all.size() / 2);
}

TEST(DecodeImage, TellsFormatsByContentNotBySuffix) {
  const std::string copy = ::testing::TempDir() + "ptq_a_png_named.jpg";
  std::ifstream in(test_file("fixtures/rgb.png"), std::ios::binary);
  std::ofstream(copy, std::ios::binary) << in.rdbuf();
  EXPECT_EQ(decode_image(copy).pixels, decode_image(test_file("fixtures/rgb.png")).pixels);
}

TEST(DecodeImage, LeavesExifOrientationAlone) {
  const Image rotated = decode_image(test_file("fixtures/rgb_exif_rotated.jpg"));
  EXPECT_EQ(rotated.width, 37);
  EXPECT_EQ(rotated.height, 29);
}

TEST(DecodeImage, DropsAlphaWithoutBlending) {
  // The pattern of scripts/image_fixtures.py at (1, 0): 7, 7 + 40, 7 + 80, and alpha 7 + 120.
  const Image rgba = decode_image(test_file("fixtures/rgba.png"));
  const Image straight = decode_image(test_file("fixtures/rgba_straight.tif"));
  for (const Image* image : {&rgba, &straight}) {
    const std::vector<uint8_t> pixel(image->row(0) + 3, image->row(0) + 6);
    EXPECT_EQ(pixel, (std::vector<uint8_t>{255 - 7, 47, 87}));
  }
}

TEST(DecodeImage, ClipsSixteenBitGreyAndShiftsSixteenBitColour) {
  const Image grey = decode_image(test_file("fixtures/grey_16bit.png"));
  const auto white = std::count(grey.pixels.begin(), grey.pixels.end(), 255);
  EXPECT_GT(white, static_cast<int64_t>(grey.pixels.size()) * 3 / 4);
  const Image colour = decode_image(test_file("fixtures/rgb_16bit.png"));
  EXPECT_LT(*std::max_element(colour.pixels.begin(), colour.pixels.end()), 129);
}

}  // namespace
}  // namespace ptq::data
