#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "passes/learned_round/layer_objective.h"
#include "passes/learned_round/unit_images.h"
#include "runtime/layer_sweep.h"

namespace ptq::passes {

/// From the moments of each image: a step over some images adds theirs up and costs one product of
/// [out, K] with [K, K], where the images themselves would cost two of [out, K] with their columns.
class ImageMoments : public LayerObjective {
 public:
  /// How many images a step draws, and from which seed.
  struct Draw {
    int64_t images = 1;
    uint64_t seed = 0;
  };

  /// Whether this is less work than running the layer of `stop` on the images of a step, in the
  /// memory it may take.
  static bool is_worthwhile(const runtime::SweepStop& stop, ImageAxis axis, int64_t images);

  ImageMoments(const runtime::SweepStop& stop, ImageAxis axis, MeanError mean, Draw draw);

  at::Tensor half_gradient(const at::Tensor& change) override;
  double error(const at::Tensor& change) override;
  at::Tensor mean_error(const at::Tensor& change) const override;
  at::Tensor mean_squares() const override;

 private:
  struct Image {
    /// H, and W (H - G)^T, means over the image's columns.
    at::Tensor h, offset;
  };

  std::vector<Image> images_;
  at::Tensor quantized_mean_, mean_offset_;
  double constant_ = 0;
  Draw draw_;
  std::optional<ImageSampler> sampler_;
};

}  // namespace ptq::passes
