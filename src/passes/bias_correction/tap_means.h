#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "passes/bias_correction/windows.h"

namespace ptq::passes {

/// What each tap of a layer's kernel meets on average, over the windows of all images of a batch,
/// then over batches without regard to their size; padding counts as zeros. The mean of the layer's
/// output follows from it: mean(y[o]) = sum over c, tap of W[o, c, tap] * mean[c, tap] + b[o].
/// Sums are float64. Lanes add at the same time, each to sums of its own.
class TapMeans {
 public:
  /// `channel_axis` of the values: 1, or the last for a Linear.
  enum class ChannelAxis { kSecond, kLast };

  TapMeans(Windows windows, int64_t channels, ChannelAxis axis, int lanes);

  /// float32, any dense layout; part of a batch.
  void add(const at::Tensor& value, int lane);
  /// Throws InternalError if nothing came.
  void end_batch();
  /// [channels][taps].
  std::vector<double> mean() const;

 private:
  struct Lane {
    /// [classes][channels].
    std::vector<double> sums;
    int64_t images = 0;
  };

  void add_channels_last(const float* values, int64_t images, Lane& lane) const;
  void add_channels_first(const float* values, int64_t images, Lane& lane) const;

  Windows windows_;
  int64_t channels_;
  ChannelAxis axis_;
  std::vector<Lane> lanes_;
  /// As Lane::sums: sums of the means of batches.
  std::vector<double> means_;
  int64_t batches_ = 0;
};

}  // namespace ptq::passes
