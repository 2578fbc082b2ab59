#include "passes/learned_round/unit_images.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <set>

#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

ValueOfImages value_of(const std::vector<at::Tensor>& batches, ImageAxis axis) {
  std::vector<int64_t> images;
  for (const at::Tensor& batch : batches) images.push_back(axis.images(batch));
  return {images, [=](int64_t batch) { return batches[static_cast<size_t>(batch)]; }, axis};
}

TEST(ValueOfImages, GathersImagesAcrossBatches) {
  const at::Tensor all = at::arange(20.0, at::kFloat).view({5, 4});
  const ValueOfImages value = value_of({all.narrow(0, 0, 2), all.narrow(0, 2, 3)}, {0, 1});
  EXPECT_EQ(value.count(), 5);
  EXPECT_TRUE(at::equal(value.gather({4, 1}),
                        at::tensor({16, 17, 18, 19, 4, 5, 6, 7}).to(at::kFloat).view({2, 4})));
}

TEST(ValueOfImages, GathersImagesThatLieInAnotherDimension) {
  // Two entries per image, in the second dimension.
  const at::Tensor all = at::arange(24.0, at::kFloat).view({2, 6, 2});
  const ValueOfImages value = value_of({all.narrow(1, 0, 4), all.narrow(1, 4, 2)}, {1, 2});
  EXPECT_EQ(value.count(), 3);
  EXPECT_TRUE(at::equal(value.gather({2}), all.narrow(1, 4, 2)));
}

TEST(ValueOfImages, GathersPlanesAsTheyAreWanted) {
  const at::Tensor all = at::arange(48.0, at::kFloat).view({2, 4, 3, 2});
  const ValueOfImages value = value_of({all.contiguous(at::MemoryFormat::ChannelsLast)}, {0, 1});
  const at::Tensor rows = value.gather({1, 0});
  const at::Tensor last = value.gather({1, 0}, Planes::kChannelsLast);
  EXPECT_TRUE(rows.is_contiguous());
  EXPECT_TRUE(last.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::equal(rows, last));
  EXPECT_TRUE(
      value_of({all.flatten(1)}, {0, 1}).gather({0}, Planes::kChannelsLast).is_contiguous());
}

TEST(ImageAxis, IsTheDimensionThatGrowsWithTheBatch) {
  EXPECT_EQ(image_axis({{197, false}, {1, true}, {64, false}}).axis, 1);
  EXPECT_EQ(image_axis({{12, true}, {64, false}}).per_image, 12);
  EXPECT_THROW(image_axis({{12, false}}), InternalError);
}

TEST(ImageSampler, DrawsEveryImageBeforeAnyComesAgain) {
  ImageSampler sampler(6, 1);
  std::set<int64_t> seen;
  for (int i = 0; i < 3; ++i) {
    for (const int64_t image : sampler.next(2)) seen.insert(image);
  }
  EXPECT_EQ(seen.size(), 6);
  EXPECT_EQ(sampler.next(100).size(), 6);
}

TEST(ImageSampler, FollowsItsSeed) {
  ImageSampler a(100, 1), b(100, 1), c(100, 2);
  const auto first = a.next(10);
  EXPECT_EQ(first, b.next(10));
  EXPECT_NE(first, c.next(10));
}

}  // namespace
}  // namespace ptq::passes
