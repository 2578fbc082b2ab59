#include "ptq/data/loader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "data/checksums.h"
#include "data/image.h"
#include "data/pixel_bytes.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kCrop = 20;
constexpr int64_t kBytesPerCrop = kCrop * kCrop * 3;

LoaderOptions options_of(int workers) {
  LoaderOptions options;
  options.recipe.resize = 24;
  options.recipe.crop = kCrop;
  options.workers = workers;
  return options;
}

std::vector<int64_t> all_of(const ImageFolder& folder) {
  std::vector<int64_t> items(folder.items.size());
  std::iota(items.begin(), items.end(), int64_t{0});
  return items;
}

// Everything a pass hands out, joined.
struct Pass {
  std::vector<int64_t> sizes, labels, items;
  std::vector<uint8_t> pixels;
};

Pass run(Loader& loader, int64_t batch_size) {
  Pass pass;
  loader.start(batch_size);
  while (const std::optional<Batch> batch = loader.next()) {
    pass.sizes.push_back(batch->pixels.size(0));
    pass.labels.insert(pass.labels.end(), batch->labels.begin(), batch->labels.end());
    pass.items.insert(pass.items.end(), batch->items.begin(), batch->items.end());
    const uint8_t* pixels = batch->pixels.data_ptr<uint8_t>();
    pass.pixels.insert(pass.pixels.end(), pixels, pixels + batch->pixels.numel());
  }
  return pass;
}

// Copies of ten fixtures that can be taken away, each with its own label.
class LoaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const ExpectedChecksums& fixture : read_checksums(test_file("fixtures.crc32"))) {
      if (images_.items.size() == 10) break;
      const std::string copy = folder_.file(fixture.path);
      fs::copy_file(test_file("fixtures/" + fixture.path), copy);
      images_.items.push_back({copy, static_cast<int64_t>(100 + images_.items.size())});
    }
  }

  void take_images_away() const {
    for (const ImageFolder::Item& item : images_.items) fs::remove(item.path);
  }
  void spoil(size_t item) const { folder_.write(name_of(item), "no picture"); }
  std::string name_of(size_t item) const { return fs::path(images_.items[item].path).filename(); }

  support::TemporaryFolder folder_;
  ImageFolder images_;
};

TEST_F(LoaderTest, HandsOutTheItemsAskedForInTheirOrder) {
  const std::vector<int64_t> wanted = {7, 2, 9, 0};
  Loader loader(images_, wanted, options_of(2));
  const Pass pass = run(loader, 3);
  EXPECT_EQ(loader.size(), 4);
  EXPECT_EQ(pass.sizes, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(pass.items, wanted);
  EXPECT_EQ(pass.labels, (std::vector<int64_t>{107, 102, 109, 100}));
  std::vector<uint8_t> expected;
  for (const int64_t item : wanted) {
    const Image image = decode_image(images_.items[static_cast<size_t>(item)].path);
    const std::vector<uint8_t> crop = bytes_of(resize_and_crop(image.pixels, options_of(1).recipe));
    expected.insert(expected.end(), crop.begin(), crop.end());
  }
  EXPECT_EQ(pass.pixels, expected);
}

TEST_F(LoaderTest, IsTheSameForAnyNumberOfWorkersAndAnyBudget) {
  Loader alone(images_, all_of(images_), options_of(0));
  const Pass expected = run(alone, 4);
  EXPECT_EQ(expected.sizes, (std::vector<int64_t>{4, 4, 2}));
  for (const int workers : {1, 2, 4}) {
    for (const int64_t images_kept : {0, 3, 100}) {
      LoaderOptions options = options_of(workers);
      options.memory_budget_bytes = images_kept * kBytesPerCrop;
      Loader loader(images_, all_of(images_), options);
      for (int repetition = 0; repetition < 20; ++repetition) {
        const Pass pass = run(loader, 4);
        ASSERT_EQ(pass.items, expected.items) << workers << " " << images_kept;
        ASSERT_EQ(pass.pixels, expected.pixels) << workers << " " << images_kept;
      }
    }
  }
}

TEST_F(LoaderTest, DecodesOnceWhatFitsTheBudget) {
  Loader loader(images_, all_of(images_), options_of(2));
  const Pass first = run(loader, 4);
  take_images_away();
  EXPECT_EQ(run(loader, 10).pixels, first.pixels);
}

TEST_F(LoaderTest, DecodesAgainWhatDoesNotFitTheBudget) {
  LoaderOptions options = options_of(1);
  options.memory_budget_bytes = 3 * kBytesPerCrop + kBytesPerCrop / 2;
  Loader loader(images_, all_of(images_), options);
  run(loader, 4);
  take_images_away();
  loader.start(3);
  const std::optional<Batch> kept = loader.next();
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->items, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(message_of<DataError>([&] { loader.next(); }),
            images_.items[3].path + ": cannot be opened: No such file or directory");
}

TEST_F(LoaderTest, MayStartAgainInTheMiddleAndWithAnotherBatchSize) {
  for (const int64_t images_kept : {0, 100}) {
    LoaderOptions options = options_of(2);
    options.memory_budget_bytes = images_kept * kBytesPerCrop;
    Loader loader(images_, all_of(images_), options);
    loader.start(3);
    loader.next();
    const Pass whole = run(loader, 10);
    EXPECT_EQ(whole.items, all_of(images_));
    EXPECT_EQ(whole.sizes, std::vector<int64_t>{10});
  }
}

TEST_F(LoaderTest, MayBeDestroyedAtAnyTime) {
  for (int batches = -1; batches < 4; ++batches) {
    Loader loader(images_, all_of(images_), options_of(3));
    if (batches >= 0) loader.start(2);
    for (int i = 0; i < batches; ++i) loader.next();
  }
}

TEST_F(LoaderTest, ATextFileNamedLikeAnImageIsAnErrorThatNamesIt) {
  spoil(5);
  Loader loader(images_, all_of(images_), options_of(2));
  loader.start(4);
  EXPECT_TRUE(loader.next().has_value());
  EXPECT_EQ(message_of<DataError>([&] { loader.next(); }),
            images_.items[5].path + ": not a JPEG, PNG, BMP, WebP or TIFF image");
}

TEST_F(LoaderTest, SkipsUnreadableImagesAndNamesEachOnce) {
  spoil(1);
  folder_.write(name_of(6), "");
  for (const int64_t images_kept : {0, 100}) {
    LoaderOptions options = options_of(2);
    options.unreadable = UnreadableImages::kSkip;
    options.memory_budget_bytes = images_kept * kBytesPerCrop;
    Loader loader(images_, all_of(images_), options);
    run(loader, 3);
    const Pass pass = run(loader, 3);
    EXPECT_EQ(pass.items, (std::vector<int64_t>{0, 2, 3, 4, 5, 7, 8, 9}));
    EXPECT_EQ(pass.sizes, (std::vector<int64_t>{3, 3, 2}));
    EXPECT_EQ(loader.size(), 10);
    const std::vector<Unreadable> unreadable = loader.unreadable();
    ASSERT_EQ(unreadable.size(), 2U);
    EXPECT_EQ(unreadable[0].item, 1);
    EXPECT_EQ(unreadable[0].path, images_.items[1].path);
    EXPECT_EQ(unreadable[0].reason, "not a JPEG, PNG, BMP, WebP or TIFF image");
    EXPECT_EQ(unreadable[1].item, 6);
    EXPECT_EQ(unreadable[1].reason, "the file is empty");
  }
}

TEST_F(LoaderTest, GivesViewsBehindTheImages) {
  const std::vector<int64_t> wanted = {7, 2, 9};
  Loader plain(images_, wanted, options_of(0));
  const Pass crops = run(plain, 3);
  std::vector<Pass> passes;
  for (const int workers : {0, 1, 3}) {
    LoaderOptions options = options_of(workers);
    options.augmentation = {2, 0.25, 11};
    Loader loader(images_, wanted, options);
    EXPECT_EQ(loader.size(), 9);
    passes.push_back(run(loader, 4));
    const Pass& pass = passes.back();
    EXPECT_EQ(pass.items, (std::vector<int64_t>{7, 2, 9, 7, 2, 9, 7, 2, 9}));
    EXPECT_EQ(pass.labels, (std::vector<int64_t>{107, 102, 109, 107, 102, 109, 107, 102, 109}));
    EXPECT_EQ(pass.sizes, (std::vector<int64_t>{4, 4, 1}));
    EXPECT_EQ(pass.pixels, passes.front().pixels) << workers;
    EXPECT_EQ(run(loader, 9).pixels, pass.pixels) << workers;
  }
  const auto round = [&](int64_t number) {
    const auto begin = passes.front().pixels.begin() + number * 3 * kBytesPerCrop;
    return std::vector<uint8_t>(begin, begin + 3 * kBytesPerCrop);
  };
  EXPECT_EQ(round(0), crops.pixels);
  EXPECT_NE(round(1), crops.pixels);
  EXPECT_NE(round(1), round(2));
}

TEST_F(LoaderTest, SkipsTheViewsOfUnreadableImages) {
  spoil(1);
  LoaderOptions options = options_of(2);
  options.unreadable = UnreadableImages::kSkip;
  options.augmentation.views = 2;
  Loader loader(images_, {0, 1}, options);
  const Pass pass = run(loader, 2);
  EXPECT_EQ(pass.items, (std::vector<int64_t>{0, 0, 0}));
  EXPECT_EQ(loader.unreadable().size(), 1U);
}

TEST_F(LoaderTest, RefusesToSkipEverything) {
  for (size_t item = 0; item < images_.items.size(); ++item) spoil(item);
  LoaderOptions options = options_of(2);
  options.unreadable = UnreadableImages::kSkip;
  Loader loader(images_, all_of(images_), options);
  loader.start(4);
  EXPECT_EQ(message_of<DataError>([&] { loader.next(); }),
            "none of the 10 images can be read; the first: " + images_.items[0].path +
                ": not a JPEG, PNG, BMP, WebP or TIFF image");
}

TEST_F(LoaderTest, HasNothingBeforeItStartsAndNothingWithoutItems) {
  Loader loader(images_, all_of(images_), options_of(1));
  EXPECT_FALSE(loader.next().has_value());
  Loader empty(images_, {}, options_of(1));
  empty.start(4);
  EXPECT_FALSE(empty.next().has_value());
}

TEST_F(LoaderTest, RefusesOptionsThatMeanNothing) {
  EXPECT_EQ(message_of<ConfigError>([&] { Loader(images_, {0}, options_of(-1)); }),
            "workers -1: must not be negative");
  LoaderOptions options = options_of(1);
  options.recipe.crop = 0;
  EXPECT_EQ(message_of<ConfigError>([&] { Loader(images_, {0}, options); }),
            "recipe.crop 0: must be in [1, 8192]");
  options = options_of(1);
  options.augmentation.views = -1;
  EXPECT_EQ(message_of<ConfigError>([&] { Loader(images_, {0}, options); }),
            "augmentation.views: must lie between 0 and 1000");
  Loader loader(images_, {0}, options_of(1));
  EXPECT_EQ(message_of<ConfigError>([&] { loader.start(0); }), "batch size 0: must be positive");
}

}  // namespace
}  // namespace ptq::data
