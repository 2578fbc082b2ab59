#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "data/checksums.h"
#include "data/decoders.h"
#include "data/image.h"
#include "data/item_file.h"
#include "data/pixel_bytes.h"

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
    const FileBytes file = read_item({test_file("fixtures/" + expected.path)});
    EXPECT_EQ(checksum(red_first(decode_bytes(file).pixels)), expected.sums.at(0)) << expected.path;
    EXPECT_EQ(checksum(bytes_of(decode_crop(file, shrink))), expected.sums.at(1)) << expected.path;
    EXPECT_EQ(checksum(bytes_of(decode_crop(file, enlarge))), expected.sums.at(2)) << expected.path;
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
  EXPECT_EQ(red_first(decode_image(copy).pixels),
            red_first(decode_image(test_file("fixtures/rgb.png")).pixels));
}

TEST(DecodeImage, LeavesExifOrientationAlone) {
  const Image rotated = decode_image(test_file("fixtures/rgb_exif_rotated.jpg"));
  EXPECT_EQ(rotated.pixels.cols, 37);
  EXPECT_EQ(rotated.pixels.rows, 29);
}

TEST(DecodeImage, DropsAlphaWithoutBlending) {
  // The pattern of scripts/image_fixtures.py at (1, 0): 7, 7 + 40, 7 + 80, and alpha 7 + 120.
  const Image rgba = decode_image(test_file("fixtures/rgba.png"));
  const Image straight = decode_image(test_file("fixtures/rgba_straight.tif"));
  for (const Image* image : {&rgba, &straight}) {
    EXPECT_EQ(image->pixels.at<cv::Vec3b>(0, 1), cv::Vec3b(87, 47, 255 - 7));
  }
}

TEST(DecodeImage, ClipsSixteenBitGreyAndShiftsSixteenBitColour) {
  const Image grey = decode_image(test_file("fixtures/grey_16bit.png"));
  const std::vector<uint8_t> levels = bytes_of(grey.pixels);
  const auto white = std::count(levels.begin(), levels.end(), 255);
  EXPECT_GT(white, static_cast<int64_t>(levels.size()) * 3 / 4);
  const Image colour = decode_image(test_file("fixtures/rgb_16bit.png"));
  const std::vector<uint8_t> shifted = bytes_of(colour.pixels);
  EXPECT_LT(*std::max_element(shifted.begin(), shifted.end()), 129);
}

}  // namespace
}  // namespace ptq::data
