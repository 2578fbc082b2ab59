#include "quant/partition.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "ptq/base/error.h"

namespace ptq::quant {
namespace {

constexpr int64_t kLast = -1;

/// Where the axis goes in the layout of rows.
int64_t destination(Granularity granularity) {
  return granularity == Granularity::kPerChannel ? 0 : kLast;
}

at::Tensor as_tensor(const std::vector<float>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor;
}

}  // namespace

int64_t positive_axis(const at::Tensor& x, const Quantizer& quantizer) {
  const int64_t axis = quantizer.axis < 0 ? quantizer.axis + x.dim() : quantizer.axis;
  if (axis < 0 || axis >= x.dim()) {
    throw InternalError(quantizer.layer + ": its quantizer has axis " +
                        std::to_string(quantizer.axis) + " in " + std::to_string(x.dim()) +
                        " dimensions");
  }
  return axis;
}

Partition::Partition(const at::Tensor& x, const Quantizer& quantizer)
    : original_(x), granularity_(quantizer.granularity) {
  if (granularity_ == Granularity::kPerTensor) {
    values_ = x.contiguous();
    row_size_ = x.numel();
    return;
  }
  axis_ = positive_axis(x, quantizer);
  values_ = x.movedim(axis_, destination(granularity_)).contiguous();
  const int64_t extent = x.size(axis_);
  if (granularity_ == Granularity::kPerChannel) {
    rows_ = extent;
    row_size_ = x.numel() / std::max<int64_t>(extent, 1);
    return;
  }
  row_size_ = quantizer.group_size;
  rows_per_line_ = (extent + row_size_ - 1) / row_size_;
  rows_ = extent == 0 ? 0 : x.numel() / extent * rows_per_line_;
}

Partition::Row Partition::row(int64_t index) const {
  if (granularity_ != Granularity::kPerGroup) return {index * row_size_, row_size_, false};
  const int64_t extent = original_.size(axis_);
  const int64_t in_line = index % rows_per_line_ * row_size_;
  const int64_t size = std::min(row_size_, extent - in_line);
  return {index / rows_per_line_ * extent + in_line, size, size < row_size_};
}

at::Tensor Partition::restore(const at::Tensor& values) const {
  at::Tensor out = at::empty_like(original_);
  const bool is_moved = granularity_ != Granularity::kPerTensor;
  return out.copy_(is_moved ? values.movedim(destination(granularity_), axis_) : values);
}

at::Tensor Partition::in_scale_shape(const std::vector<float>& row_values) const {
  const at::Tensor flat = as_tensor(row_values);
  if (granularity_ == Granularity::kPerTensor) return flat.view(at::IntArrayRef{});
  if (granularity_ == Granularity::kPerChannel) return flat;
  std::vector<int64_t> shape = values_.sizes().vec();
  shape.back() = rows_per_line_;
  return flat.view(shape).movedim(kLast, axis_).contiguous();
}

std::vector<float> Partition::by_row(const at::Tensor& scales) const {
  if (scales.numel() != rows_) {
    throw InternalError("a quantizer with " + std::to_string(scales.numel()) + " scales for " +
                        std::to_string(rows_) + " rows");
  }
  const bool is_moved = granularity_ == Granularity::kPerGroup;
  const at::Tensor flat = (is_moved ? scales.movedim(axis_, kLast) : scales).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace ptq::quant
