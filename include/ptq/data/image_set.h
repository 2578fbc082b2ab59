#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"
#include "ptq/data/recipe.h"

namespace ptq::data {

/// Labelled images, and how they become a network's input. Copies are the same images and share
/// what was decoded; one thread at a time reads them.
class ImageSet {
 public:
  /// The images `items` of the folder, in that order. Nothing is decoded yet. Throws ConfigError
  /// for options that Loader refuses.
  ImageSet(ImageFolder folder, std::vector<int64_t> items, LoaderOptions options);

  const ImageFolder& folder() const;
  const Recipe& recipe() const;
  Loader& loader() const;
  /// Images used, of so many in the folder.
  int64_t size() const;
  int64_t available() const;

  /// Images a batch where nobody says otherwise.
  int64_t batch_size() const { return batch_size_; }
  /// The same images in batches of another size.
  ImageSet in_batches_of(int64_t batch_size) const;
  /// The same images and views of them, with a loader of their own. This set itself without views.
  ImageSet with_views(const Augmentation& augmentation) const;

  /// Begins to decode; batches() will find the first images ready.
  void prefetch() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  int64_t batch_size_ = 64;
};

/// A pass over a set of images from the first on, normalized, on a device.
class Batches {
 public:
  Batches(const ImageSet& images, c10::Device device);

  /// Images [N, 3, H, W] float32, or nothing at the end. Throws what Loader::next throws.
  std::optional<at::Tensor> next();
  /// Images handed out so far.
  int64_t done() const { return done_; }

 private:
  ImageSet images_;
  c10::Device device_;
  int64_t done_ = 0;
};

}  // namespace ptq::data
