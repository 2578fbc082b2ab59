#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ptq/data/crop_store.h"
#include "ptq/data/image_folder.h"
#include "ptq/data/recipe.h"

namespace ptq {
class ContentCache;
}

namespace ptq::data {

enum class UnreadableImages { kError, kSkip };

struct LoaderOptions {
  Recipe recipe;
  /// Threads that decode. The caller's decodes too while it waits for an image; alone with 0.
  int workers = 1;
  UnreadableImages unreadable = UnreadableImages::kError;
  /// For crops that are kept, so that a second pass need not decode them: crop * crop * 3 bytes an
  /// image.
  int64_t memory_budget_bytes = int64_t{1} << 30;
  /// Crops that other loaders of the same recipe decoded, and may use; may be null.
  std::shared_ptr<CropStore> store = nullptr;
  /// Crops of earlier runs and other programs; may be null.
  std::shared_ptr<ContentCache> cache = nullptr;
  /// With views, a pass gives all items, then the first view of each, then the second, and so on.
  /// Views are decoded anew each time, and are found in no store or cache.
  Augmentation augmentation = {};
};

struct Batch {
  /// uint8 [n, crop, crop, 3], red first.
  at::Tensor pixels;
  std::vector<int64_t> labels;
  /// Indices into the folder's items.
  std::vector<int64_t> items;
};

struct Unreadable {
  /// Index into the folder's items.
  int64_t item = 0;
  std::string path;
  std::string reason;
};

/// Hands out the crops of some items of a folder in batches, in the order of `items` whatever the
/// number of workers. Workers decode ahead: as far as kept crops fit the budget, and a bounded
/// number of images past it. Every image within the budget is decoded once in the loader's life.
/// A skipped image does not shorten its batch; the next one takes its place.
///
/// One thread calls; the loader may be destroyed at any time.
class Loader {
 public:
  /// Throws ConfigError if `workers` is negative or the recipe is not valid.
  Loader(ImageFolder folder, std::vector<int64_t> items, LoaderOptions options);
  ~Loader();
  Loader(Loader&&) noexcept;
  Loader& operator=(Loader&&) noexcept;

  /// (Re)starts with the first item; workers begin at once. May be called in the middle of a pass.
  /// Throws ConfigError if `batch_size` is not positive.
  void start(int64_t batch_size);

  /// The next batch, the last of which may be short; nothing at the end. Before the first start()
  /// there is nothing. Throws DataError, naming file and reason, for an unreadable image with
  /// kError, and at the end of a pass in which no image could be read.
  std::optional<Batch> next();

  /// Images found unreadable so far and skipped, in order.
  std::vector<Unreadable> unreadable() const;

  /// One image's decoded crop, by a 64-bit hash of its pixels: the same whatever the file's format.
  struct SeenCrop {
    /// Index into the folder's items.
    int64_t item = 0;
    uint64_t hash = 0;
  };
  /// Of the images handed out so far, in the order of `items`.
  std::vector<SeenCrop> seen_crops() const;

  /// With a cache, a key of the contents of all images in their order; empty without one, and where
  /// a file cannot be read.
  std::string content_key() const;

  /// As if all images had been handed out, none of them unreadable: their hashes, in the order of
  /// `items`, from an earlier pass.
  void recall(const std::vector<uint64_t>& hashes);

  const ImageFolder& folder() const;
  const std::vector<int64_t>& items() const;

  /// Images asked for, unreadable ones and views included.
  int64_t size() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ptq::data
