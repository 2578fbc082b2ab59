#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "ptq/quant/quantizer.h"

namespace ptq::quant {

/// Smallest threshold a scale is made of, and smallest scale (reference-behaviour 3.2, 3.5).
inline constexpr float kSmallestScale = 1e-10F;

/// s = max(absmax(W), 1e-10) / T per tensor or per channel of `quantizer.axis`: scalar [] or [C]
/// (reference-behaviour 3.3).
at::Tensor absmax_weight_scale(const at::Tensor& weight, const Quantizer& quantizer);

/// s = max(threshold / T, 1e-10) of an activation, scalar float32 (reference-behaviour 3.5).
at::Tensor scale_of_threshold(float threshold, double threshold_divisor);

/// Which element is the percentile of `count` values: k = floor(0.01 p N + 0.5), 1-indexed from the
/// smallest, at least 1 (reference-behaviour 3.5; the reference fails for k = 0).
int64_t percentile_rank(double percentile, int64_t count);

/// The k-th smallest |x| of a batch whose values arrive in pieces, exactly: it keeps the
/// N - k + 1 largest magnitudes, so that memory grows with the values above the percentile alone.
class AbsPercentile {
 public:
  /// `count` values will come in all.
  AbsPercentile(double percentile, int64_t count);

  /// NaN counts as larger than everything.
  void add(const float* values, int64_t count);

  /// Adds what another one saw of the same batch.
  void merge(const AbsPercentile& other);

  /// Throws InternalError unless `count` values came.
  float result() const;

 private:
  void shrink();

  int64_t count_;
  int64_t kept_;
  int64_t seen_ = 0;
  /// Bit patterns of |x|: as integers they order like the magnitudes.
  uint32_t floor_ = 0;
  std::vector<uint32_t> largest_;
};

/// The plain mean of statistics in the order they came, in float32 as the reference rounds it:
/// mean = mean * ((n - 1) / n) + c / n with c = max(statistic, 1e-10) (reference-behaviour 3.5).
class RunningMean {
 public:
  void add(float statistic);
  int64_t calls() const { return calls_; }
  /// 1 when nothing came: a quantizer that never ran keeps threshold 1.
  float value() const { return mean_; }

 private:
  float mean_ = 1;
  int64_t calls_ = 0;
};

}  // namespace ptq::quant
