#include "ptq/data/image_set.h"

#include <utility>

#include "data/normalize.h"

namespace ptq::data {

struct ImageSet::State {
  ImageFolder folder;
  Recipe recipe;
  Loader loader;
};

ImageSet::ImageSet(ImageFolder folder, std::vector<int64_t> items, LoaderOptions options)
    : state_(std::make_shared<State>(
          State{folder, options.recipe, Loader(folder, std::move(items), std::move(options))})) {}

const ImageFolder& ImageSet::folder() const { return state_->folder; }
const Recipe& ImageSet::recipe() const { return state_->recipe; }
Loader& ImageSet::loader() const { return state_->loader; }
int64_t ImageSet::size() const { return state_->loader.size(); }
int64_t ImageSet::available() const { return static_cast<int64_t>(state_->folder.items.size()); }

ImageSet ImageSet::in_batches_of(int64_t batch_size) const {
  ImageSet other = *this;
  other.batch_size_ = batch_size;
  return other;
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
