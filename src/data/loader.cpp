#include "ptq/data/loader.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/hash.h"
#include "data/crop_cache.h"
#include "data/decode_queue.h"
#include "data/decoders.h"
#include "data/image.h"
#include "data/item_file.h"
#include "data/random_view.h"
#include "ptq/base/error.h"
#include "ptq/base/invalid_option.h"

namespace ptq::data {
namespace {

int64_t bytes_per_crop(const Recipe& recipe) { return recipe.crop * recipe.crop * 3; }

Crop held(cv::Mat pixels) {
  const auto crop = std::make_shared<const cv::Mat>(std::move(pixels));
  return {crop, crop->data};
}

Crop read_crop(const ImageFolder::Item& item, const Recipe& recipe, CropCache* cache) {
  FileBytes file = read_item(item);
  if (cache == nullptr) return held(decode_crop(std::move(file), recipe));
  const std::string key = cache->key_of(item.path, file);
  Crop crop = cache->find(key);
  if (crop) return crop;
  crop = held(decode_crop(std::move(file), recipe));
  cache->put(key, crop);
  return crop;
}

Crop stored_or_read_crop(const ImageFolder::Item& item, const LoaderOptions& options,
                         CropCache* cache) {
  CropStore* store = options.store.get();
  Crop crop = store != nullptr ? store->find(item.path) : nullptr;
  if (crop) return crop;
  crop = read_crop(item, options.recipe, cache);
  if (store != nullptr) store->keep(item.path, crop, bytes_per_crop(options.recipe));
  return crop;
}

Crop read_view(const ImageFolder::Item& item, const LoaderOptions& options, int64_t index,
               int64_t number) {
  const cv::Mat image = decode_bytes(read_item(item)).pixels;
  const View view = random_view(image.cols, image.rows, options.augmentation, index, number);
  return held(crop_of_view(image, view, options.recipe));
}

/// `read` with its failures as results.
template <class Read>
Decoded decoded(const Read& read) {
  Decoded result;
  try {
    result.pixels = read();
  } catch (const DecodeFailure& failure) {
    result.failure = failure.what();
  } catch (const std::bad_alloc&) {
    result.failure = "the image does not fit the memory";
  }
  return result;
}

}  // namespace

class Loader::Impl {
 public:
  Impl(ImageFolder folder, std::vector<int64_t> items, LoaderOptions options)
      : folder_(std::move(folder)),
        items_(std::move(items)),
        options_(options),
        hashes_(positions()),
        cache_(options.cache ? std::make_unique<CropCache>(options.cache, options.recipe)
                             : nullptr),
        queue_(positions(), images_kept(), options.workers,
               [this](size_t position) { return decode(position); }) {}

  void start(int64_t batch_size) {
    if (batch_size < 1) {
      throw ConfigError("batch size " + std::to_string(batch_size) + ": must be positive");
    }
    batch_size_ = batch_size;
    delivered_ = 0;
    // The batch that comes next, and something to do for every worker while it is handed out.
    queue_.restart(static_cast<size_t>(batch_size + 4 * int64_t{options_.workers}));
  }

  std::optional<Batch> next() {
    if (batch_size_ == 0) return std::nullopt;
    Batch batch;
    batch.pixels = at::empty({largest_batch(), recipe().crop, recipe().crop, 3}, at::kByte);
    while (!queue_.at_end() && static_cast<int64_t>(batch.items.size()) < batch_size_) {
      add_next(batch);
    }
    const auto count = static_cast<int64_t>(batch.items.size());
    delivered_ += count;
    if (count == 0) return end_of_pass();
    batch.pixels = batch.pixels.narrow(0, 0, count);
    return batch;
  }

  std::string content_key() {
    if (!cache_) return "";
    return cache_->key_of_all(folder_, items_, std::max(options_.workers, 1));
  }

  void recall(const std::vector<uint64_t>& hashes) {
    for (size_t i = 0; i < items_.size(); ++i) hashes_[i] = hashes.at(i);
  }

  const std::vector<Unreadable>& unreadable() const { return unreadable_; }
  std::vector<SeenCrop> seen_crops() const {
    std::vector<SeenCrop> seen;
    for (size_t i = 0; i < items_.size(); ++i) {
      if (hashes_[i]) seen.push_back({items_[i], *hashes_[i]});
    }
    return seen;
  }
  const ImageFolder& folder() const { return folder_; }
  const std::vector<int64_t>& items() const { return items_; }
  int64_t size() const { return static_cast<int64_t>(positions()); }

 private:
  const Recipe& recipe() const { return options_.recipe; }
  size_t positions() const {
    return items_.size() * static_cast<size_t>(1 + options_.augmentation.views);
  }
  /// Index into the folder's items.
  int64_t index(size_t position) const { return items_[position % items_.size()]; }
  const ImageFolder::Item& item(size_t position) const {
    return folder_.items.at(static_cast<size_t>(index(position)));
  }
  Decoded decode(size_t position) const {
    const auto round = static_cast<int64_t>(position / items_.size());
    return decoded([&] {
      return round == 0 ? stored_or_read_crop(item(position), options_, cache_.get())
                        : read_view(item(position), options_, index(position), round - 1);
    });
  }
  size_t images_kept() const {
    return static_cast<size_t>(std::max<int64_t>(options_.memory_budget_bytes, 0) /
                               bytes_per_crop(recipe()));
  }
  int64_t largest_batch() const {
    return std::min(batch_size_, size() - static_cast<int64_t>(queue_.position()));
  }

  void add_next(Batch& batch) {
    const size_t position = queue_.position();
    Decoded storage;
    const Decoded& result = queue_.take(storage);
    if (!result.failure.empty()) return note_unreadable(position, result.failure);
    const auto place = static_cast<int64_t>(batch.items.size());
    const auto size = static_cast<size_t>(bytes_per_crop(recipe()));
    std::memcpy(batch.pixels.data_ptr<uint8_t>() + place * bytes_per_crop(recipe()),
                result.pixels.get(), size);
    if (!hashes_[position]) hashes_[position] = checksum64(result.pixels.get(), size);
    batch.labels.push_back(item(position).label);
    batch.items.push_back(index(position));
  }

  void note_unreadable(size_t position, const std::string& reason) {
    const std::string& path = item(position).path;
    if (options_.unreadable == UnreadableImages::kError) throw DataError(path + ": " + reason);
    const int64_t item = index(position);
    const bool known = std::any_of(unreadable_.begin(), unreadable_.end(),
                                   [&](const Unreadable& seen) { return seen.item == item; });
    if (!known) unreadable_.push_back({item, path, reason});
  }

  std::optional<Batch> end_of_pass() const {
    if (delivered_ > 0 || unreadable_.empty()) return std::nullopt;
    throw DataError("none of the " + std::to_string(size()) + " images can be read; the first: " +
                    unreadable_.front().path + ": " + unreadable_.front().reason);
  }

  const ImageFolder folder_;
  const std::vector<int64_t> items_;
  const LoaderOptions options_;
  std::vector<Unreadable> unreadable_;
  /// By position, of crops handed out.
  std::vector<std::optional<uint64_t>> hashes_;
  int64_t batch_size_ = 0;
  int64_t delivered_ = 0;
  const std::unique_ptr<CropCache> cache_;
  DecodeQueue queue_;  // last, for its threads read the others
};

namespace {

LoaderOptions checked(const LoaderOptions& options) {
  check_recipe(options.recipe);
  if (options.workers < 0) {
    throw InvalidOption("workers", "must not be negative", std::to_string(options.workers));
  }
  check_augmentation(options.augmentation);
  return options;
}

}  // namespace

Loader::Loader(ImageFolder folder, std::vector<int64_t> items, LoaderOptions options)
    : impl_(std::make_unique<Impl>(std::move(folder), std::move(items), checked(options))) {}
Loader::~Loader() = default;
Loader::Loader(Loader&&) noexcept = default;
Loader& Loader::operator=(Loader&&) noexcept = default;

void Loader::start(int64_t batch_size) { impl_->start(batch_size); }
std::optional<Batch> Loader::next() { return impl_->next(); }
std::vector<Unreadable> Loader::unreadable() const { return impl_->unreadable(); }
std::string Loader::content_key() const { return impl_->content_key(); }
void Loader::recall(const std::vector<uint64_t>& hashes) { impl_->recall(hashes); }
std::vector<Loader::SeenCrop> Loader::seen_crops() const { return impl_->seen_crops(); }
const ImageFolder& Loader::folder() const { return impl_->folder(); }
const std::vector<int64_t>& Loader::items() const { return impl_->items(); }
int64_t Loader::size() const { return impl_->size(); }

}  // namespace ptq::data
