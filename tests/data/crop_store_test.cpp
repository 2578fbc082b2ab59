#include "ptq/data/crop_store.h"

#include <gtest/gtest.h>

#include "ptq/data/loader.h"
#include "support/temporary_folder.h"
#include "support/test_images.h"

namespace ptq::data {
namespace {

TEST(CropStore, KeepsWhatFitsItsBudget) {
  CropStore store(10);
  const auto crop = [](uint8_t first) { return std::make_shared<const uint8_t>(first); };
  store.keep("a", crop(1), 4);
  store.keep("a", crop(9), 4);
  store.keep("b", crop(2), 7);
  store.keep("c", crop(3), 6);
  EXPECT_EQ(*store.find("a"), 1);
  EXPECT_EQ(store.find("b"), nullptr);
  EXPECT_EQ(*store.find("c"), 3);
}

// The second loader gets the crop of a file that is not an image any more.
TEST(CropStore, SparesASecondLoaderTheDecoding) {
  const support::TemporaryFolder files;
  ImageFolder folder;
  folder.classes = {"one"};
  folder.items = {{files.file("a.bmp"), 0}};
  support::write_grey_image(folder.items[0].path, {8, 8}, 100);
  LoaderOptions options;
  options.recipe = {8, 8, {0, 0, 0}, {1, 1, 1}, Interpolation::kBilinear};
  options.store = std::make_shared<CropStore>(1 << 20);
  for (int i = 0; i < 2; ++i) {
    Loader loader(folder, {0}, options);
    loader.start(1);
    EXPECT_EQ(loader.next()->pixels.data_ptr<uint8_t>()[0], 100);
    files.write("a.bmp", "no image");
  }
}

}  // namespace
}  // namespace ptq::data
