#include "passes/learned_round/unit_images.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "ptq/base/error.h"

namespace ptq::passes {

ImageAxis image_axis(const ir::Dims& shape) {
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].times_batch) return {static_cast<int64_t>(i), shape[i].value};
  }
  throw InternalError("a value that depends on the images does not grow with their number");
}

ValueOfImages::ValueOfImages(const std::vector<int64_t>& images, Load load, ImageAxis axis)
    : load_(std::move(load)), axis_(axis) {
  for (size_t batch = 0; batch < images.size(); ++batch) {
    for (int64_t i = 0; i < images[batch]; ++i) places_.push_back({static_cast<int64_t>(batch), i});
  }
}

at::Tensor ValueOfImages::gather(const std::vector<int64_t>& images, Planes planes) const {
  std::vector<at::Tensor> parts;
  for (const int64_t image : images) {
    const Place place = places_.at(static_cast<size_t>(image));
    parts.push_back(
        load_(place.batch).narrow(axis_.axis, place.image * axis_.per_image, axis_.per_image));
  }
  const at::Tensor all = at::cat(parts, axis_.axis);
  const bool channels_last = planes == Planes::kChannelsLast && all.dim() == 4;
  return all.contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                      : at::MemoryFormat::Contiguous);
}

ImageSampler::ImageSampler(int64_t images, uint64_t seed)
    : order_(static_cast<size_t>(images)), used_(order_.size()), random_(seed) {
  std::iota(order_.begin(), order_.end(), 0);
}

std::vector<int64_t> ImageSampler::next(int64_t count) {
  std::vector<int64_t> drawn;
  const auto wanted = std::min(static_cast<size_t>(count), order_.size());
  if (used_ + wanted > order_.size()) {
    std::shuffle(order_.begin(), order_.end(), random_);
    used_ = 0;
  }
  drawn.assign(order_.begin() + static_cast<int64_t>(used_),
               order_.begin() + static_cast<int64_t>(used_ + wanted));
  used_ += wanted;
  return drawn;
}

}  // namespace ptq::passes
