#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "data/checksums.h"
#include "data/decoders.h"
#include "data/image.h"
#include "data/item_file.h"
#include "data/pixel_bytes.h"

namespace ptq::data {
namespace {

// 500 photographs of ImageNet's classes, by two recipes, against Pillow and torchvision bit for
// bit.
TEST(SampleCrops, AreThoseOfPillow) {
  const char* data = std::getenv("PTQ_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "PTQ_TEST_DATA is not set";
  const std::string folder = std::string(data) + "/data/imagenet-sample/";
  Recipe bicubic;
  bicubic.resize = 232;
  bicubic.interpolation = Interpolation::kBicubic;
  const auto all = read_checksums(test_file("imagenet_sample.crc32"));
  ASSERT_EQ(all.size(), 500U);
  for (const ExpectedChecksums& expected : all) {
    const Image image = decode_image(folder + expected.path);
    EXPECT_EQ(checksum(red_first(image.pixels)), expected.sums.at(0)) << expected.path;
    const FileBytes file = read_item({folder + expected.path});
    EXPECT_EQ(checksum(bytes_of(decode_crop(file, Recipe()))), expected.sums.at(1))
        << expected.path;
    EXPECT_EQ(checksum(bytes_of(decode_crop(file, bicubic))), expected.sums.at(2)) << expected.path;
  }
}

}  // namespace
}  // namespace ptq::data
