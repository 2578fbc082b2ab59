#include "ptq/data/image_set.h"

#include <utility>

#include "data/normalize.h"

namespace ptq::data {

struct ImageSet::State {
  ImageFolder folder;
  LoaderOptions options;
  Loader loader;
};

ImageSet::ImageSet(ImageFolder folder, std::vector<int64_t> items, LoaderOptions options)
    : state_(std::make_shared<State>(
          State{folder, options, Loader(folder, std::move(items), options)})) {}

const ImageFolder& ImageSet::folder() const { return state_->folder; }
const Recipe& ImageSet::recipe() const { return state_->options.recipe; }
Loader& ImageSet::loader() const { return state_->loader; }
int64_t ImageSet::size() const { return state_->loader.size(); }
int64_t ImageSet::available() const { return static_cast<int64_t>(state_->folder.items.size()); }

ImageSet ImageSet::in_batches_of(int64_t batch_size) const {
  ImageSet other = *this;
  other.batch_size_ = batch_size;
  return other;
}

ImageSet ImageSet::with_views(const Augmentation& augmentation) const {
  if (augmentation.views == 0) return *this;
  LoaderOptions options = state_->options;
  options.augmentation = augmentation;
  options.memory_budget_bytes = 0;
  return ImageSet(state_->folder, state_->loader.items(), std::move(options))
      .in_batches_of(batch_size_);
}

void ImageSet::prefetch() const { state_->loader.start(batch_size_); }

Batches::Batches(const ImageSet& images, c10::Device device) : images_(images), device_(device) {
  images_.prefetch();
}

std::optional<at::Tensor> Batches::next() {
  const std::optional<Batch> batch = images_.loader().next();
  if (!batch) return std::nullopt;
  done_ += static_cast<int64_t>(batch->items.size());
  return normalize(batch->pixels, images_.recipe()).to(device_);
}

}  // namespace ptq::data
