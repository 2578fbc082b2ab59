#include "passes/learned_round/image_moments.h"

#include <ATen/ops/zeros_like.h>

#include "base/ordered_sum.h"
#include "passes/learned_round/layer_data.h"
#include "passes/rounding/input_moments.h"
#include "passes/rounding/weight_rows.h"

namespace ptq::passes {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 30;

int64_t count_images(const runtime::SweepStop& stop) {
  int64_t count = 0;
  for (int64_t batch = 0; batch < stop.batches(); ++batch) count += stop.images(batch);
  return count;
}

at::Tensor image_of(const at::Tensor& batch, ImageAxis axis, int64_t image) {
  return batch.narrow(axis.axis, image * axis.per_image, axis.per_image);
}

std::vector<LayerMoments> moments_by_image(const runtime::SweepStop& stop, ImageAxis axis,
                                           const at::Tensor& rows) {
  const ir::Op& op = stop.unit().nodes.front()->op;
  std::vector<LayerMoments> all;
  for (int64_t batch = 0; batch < stop.batches(); ++batch) {
    const at::Tensor quantized = stop.input(kQuantizedStream, batch);
    const at::Tensor original = stop.input(kOriginalStream, batch);
    for (int64_t i = 0; i < stop.images(batch); ++i) {
      const at::Tensor image = image_of(quantized, axis, i);
      InputMoments moments(op, {true, 1, rows, true});
      const double share = 1 / static_cast<double>(moments.columns_of(image));
      moments.add(image, image_of(original, axis, i), share);
      all.push_back({moments.hessian().to(at::kFloat),
                     moments.cross().to(at::kFloat),
                     moments.energy(),
                     {moments.input_sums(), moments.float_sums()}});
    }
  }
  return all;
}

InputMeans mean_of(const std::vector<LayerMoments>& images) {
  InputMeans mean{at::zeros_like(images.front().means.quantized),
                  at::zeros_like(images.front().means.original)};
  const double share = 1 / static_cast<double>(images.size());
  for (const LayerMoments& image : images) {
    mean.quantized.add_(image.means.quantized, share);
    mean.original.add_(image.means.original, share);
  }
  return mean;
}

}  // namespace

bool ImageMoments::is_worthwhile(const runtime::SweepStop& stop, ImageAxis axis, int64_t images) {
  const ir::Op& op = stop.unit().nodes.front()->op;
  const at::Tensor rows = weight_rows(op, ir::weighted(op)->weight.value);
  const int64_t groups = rows.size(0), outputs = rows.size(1), depth = rows.size(2);
  const int64_t bytes = groups * depth * (depth + outputs) * 4;
  if (bytes * count_images(stop) > kMostBytes) return false;
  const int64_t columns =
      InputMoments(op, {}).columns_of(image_of(stop.input(kQuantizedStream, 0), axis, 0));
  return depth < 2 * columns * images;
}

ImageMoments::ImageMoments(const runtime::SweepStop& stop, ImageAxis axis, MeanError mean,
                           Draw draw)
    : draw_(draw) {
  const ir::Op& op = stop.unit().nodes.front()->op;
  const at::Tensor rows = weight_rows(op, ir::weighted(op)->weight.value);
  std::vector<LayerMoments> all = moments_by_image(stop, axis, rows);
  const InputMeans means = mean_of(all);
  for (LayerMoments& image : all) {
    const MomentsObjective objective(
        rows, mean == MeanError::kLeftToBias ? centred(image, means, rows) : image);
    image = {};
    images_.push_back({objective.h(), objective.offset()});
    constant_ += objective.constant();
  }
  quantized_mean_ = means.quantized;
  mean_offset_ = mean_output(rows, means.quantized.sub(means.original));
  sampler_.emplace(static_cast<int64_t>(images_.size()), draw.seed);
}
at::Tensor ImageMoments::mean_error(const at::Tensor& change) const {
  return mean_output(change, quantized_mean_).add(mean_offset_);
}

at::Tensor ImageMoments::half_gradient(const at::Tensor& change) {
  const std::vector<int64_t> drawn = sampler_->next(draw_.images);
  const Image& first = images_[static_cast<size_t>(drawn.front())];
  at::Tensor h = first.h.clone();
  at::Tensor sum = first.offset.clone();
  for (size_t i = 1; i < drawn.size(); ++i) {
    const Image& image = images_[static_cast<size_t>(drawn[i])];
    h.add_(image.h);
    sum.add_(image.offset);
  }
  add_products(sum, change, h);
  return sum.div_(static_cast<double>(drawn.size()));
}

at::Tensor ImageMoments::mean_squares() const {
  at::Tensor sum = at::zeros_like(quantized_mean_);
  for (const Image& image : images_) sum.add_(image.h.diagonal(0, 1, 2));
  return sum.div_(static_cast<double>(images_.size()));
}

double ImageMoments::error(const at::Tensor& change) {
  double sum = constant_;
  for (const Image& image : images_) {
    at::Tensor twice = image.offset.mul(2);
    add_products(twice, change, image.h);
    sum += sum_of_products(change, twice);
  }
  return sum / static_cast<double>(images_.size());
}

}  // namespace ptq::passes
