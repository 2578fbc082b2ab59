#include "data/normalize.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <vector>

#include "ptq/base/error.h"

namespace ptq::data {
namespace {

// Every value in every channel.
at::Tensor all_values() {
  return at::arange(256, at::kByte).reshape({1, 16, 16, 1}).expand({1, 16, 16, 3}).contiguous();
}

uint32_t checksum_of_channels(const at::Tensor& images) {
  const at::Tensor planar = images.contiguous();
  return static_cast<uint32_t>(
      crc32_z(0, static_cast<const unsigned char*>(planar.data_ptr()), planar.nbytes()));
}

// The checksums are those of torchvision 0.14.1's ToTensor and Normalize.
TEST(Normalize, GivesTorchvisionsFloatsForEveryValue) {
  EXPECT_EQ(checksum_of_channels(normalize(all_values(), Recipe())), 0xbd18b1b8U);
  Recipe halves;
  halves.mean = {0.5F, 0.5F, 0.5F};
  halves.std = {0.5F, 0.5F, 0.5F};
  EXPECT_EQ(checksum_of_channels(normalize(all_values(), halves)), 0x958a2463U);
}

TEST(Normalize, ReturnsImagesInChannelsLastMemory) {
  const at::Tensor pixels = at::randint(256, {3, 200, 100, 3}, at::kByte);
  const at::Tensor images = normalize(pixels, Recipe());
  EXPECT_EQ(images.sizes(), (std::vector<int64_t>{3, 3, 200, 100}));
  EXPECT_TRUE(images.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(Normalize, TreatsEveryPixelOfALargeBatch) {
  Recipe recipe;
  const at::Tensor pixels = at::randint(256, {3, 200, 100, 3}, at::kByte);
  const at::Tensor mean = at::tensor({recipe.mean[0], recipe.mean[1], recipe.mean[2]});
  const at::Tensor std = at::tensor({recipe.std[0], recipe.std[1], recipe.std[2]});
  const at::Tensor expected = pixels.to(at::kFloat).div(255).sub(mean).div(std);
  EXPECT_TRUE(at::equal(normalize(pixels, recipe), expected.permute({0, 3, 1, 2})));
}

TEST(Normalize, KeepsItsMemoryForBatchesOfOneSize) {
  const at::Tensor pixels = all_values();
  at::Tensor rows;
  const at::Tensor first = normalize(at::zeros_like(pixels), Recipe(), rows);
  const at::Tensor second = normalize(pixels, Recipe(), rows);
  EXPECT_EQ(first.data_ptr(), second.data_ptr());
  EXPECT_TRUE(at::equal(second, normalize(pixels, Recipe())));
  EXPECT_EQ(normalize(pixels.narrow(1, 0, 8), Recipe(), rows).size(2), 8);
}

TEST(Normalize, RefusesTensorsThatAreNoBatchOfPixels) {
  EXPECT_THROW(normalize(at::zeros({2, 3, 8, 8}, at::kByte), Recipe()), InternalError);
  EXPECT_THROW(normalize(at::zeros({2, 8, 8, 3}, at::kFloat), Recipe()), InternalError);
}

}  // namespace
}  // namespace ptq::data
