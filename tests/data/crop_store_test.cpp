#include "ptq/data/crop_store.h"

#include <gtest/gtest.h>

#include "ptq/data/loader.h"
#include "support/temporary_folder.h"
#include "support/test_images.h"

namespace ptq::data {
namespace {

TEST(CropStore, KeepsWhatFitsItsBudget) {
  CropStore store(10);
  store.keep("a", {1, 2, 3, 4});
  store.keep("a", {9, 9, 9, 9});
  store.keep("b", std::vector<uint8_t>(7));
  store.keep("c", {5, 6, 7, 8, 9, 10});
  EXPECT_EQ(*store.find("a"), (std::vector<uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(store.find("b"), nullptr);
  EXPECT_EQ(store.find("c")->size(), 6U);
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
