#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "passes/learned_round/planes.h"
#include "ptq/ir/dim.h"
#include "runtime/layer_sweep.h"

namespace ptq::passes {

/// Where the images of a value lie: `per_image` entries of dimension `axis` each.
struct ImageAxis {
  int64_t axis = 0;
  int64_t per_image = 1;

  int64_t images(const at::Tensor& value) const { return value.size(axis) / per_image; }
};

/// The first dimension that grows with the batch. Throws InternalError if none does.
ImageAxis image_axis(const ir::Dims& shape);

/// One value for all calibration images, in batches that are loaded when they are needed.
class ValueOfImages {
 public:
  using Load = std::function<at::Tensor(int64_t batch)>;

  /// `images`: how many each batch has.
  ValueOfImages(const std::vector<int64_t>& images, Load load, ImageAxis axis);

  int64_t count() const { return static_cast<int64_t>(places_.size()); }
  /// For these images, in their order; contiguous, row-major or, if planes are wanted so, with
  /// channels last.
  at::Tensor gather(const std::vector<int64_t>& images, Planes planes = Planes::kRowMajor) const;

 private:
  struct Place {
    int64_t batch, image;
  };
  Load load_;
  ImageAxis axis_;
  std::vector<Place> places_;
};

/// What a unit learns from.
struct UnitImages {
  /// Its input in the quantized network, and in the float one.
  ValueOfImages quantized;
  ValueOfImages original;
  /// Its output in the float network.
  ValueOfImages target;
};

/// Draws images without repeating one before all have come.
class ImageSampler {
 public:
  ImageSampler(int64_t images, uint64_t seed);

  std::vector<int64_t> next(int64_t count);

 private:
  std::vector<int64_t> order_;
  size_t used_;
  std::mt19937_64 random_;
};

}  // namespace ptq::passes
