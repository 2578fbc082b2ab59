#pragma once

#include <cstdint>
#include <vector>

namespace ptq::quant {

/// Smallest threshold a scale is made of, and smallest scale (reference-contract 3.2, 3.5).
inline constexpr float kSmallestScale = 1e-10F;

/// Which element is the percentile of `count` values: k = floor(0.01 p N + 0.5), 1-indexed from the
/// smallest, at least 1 (reference-contract 3.5; the reference fails for k = 0).
int64_t percentile_rank(double percentile, int64_t count);

/// The same for the lower end of an interval: k = ceil(0.01 (100 - p) N), at least 1.
int64_t low_percentile_rank(double percentile, int64_t count);

/// The n largest of many integers, in memory that grows only with n.
class LargestKeys {
 public:
  explicit LargestKeys(int64_t kept) : kept_(kept) {}

  /// Keys up to this one change nothing.
  int32_t floor() const { return floor_; }
  void add(const int32_t* keys, int64_t count);
  void merge(const LargestKeys& other);

  int32_t largest() const;
  /// The n-th largest; at least n keys must have come.
  int32_t smallest_kept() const;

 private:
  void shrink();

  int64_t kept_;
  int32_t floor_ = INT32_MIN;
  std::vector<int32_t> keys_;
};

/// The k-th smallest |x| of a batch whose values arrive in pieces, exactly: it keeps the
/// N - k + 1 largest magnitudes, so that memory grows only with the values above the percentile.
class AbsPercentile {
 public:
  /// `count` values will come in all.
  AbsPercentile(double percentile, int64_t count);

  void add(const float* values, int64_t count);

  /// Adds what another one saw of the same batch.
  void merge(const AbsPercentile& other);

  /// Infinity or NaN if one came, be it above the percentile. Throws InternalError unless `count`
  /// values came.
  float result() const;

 private:
  int64_t count_;
  int64_t seen_ = 0;
  LargestKeys magnitudes_;
};

/// The plain mean of statistics in the order they came, in float32 as the reference rounds it:
/// mean = mean * ((n - 1) / n) + c / n (reference-contract 3.5). Of thresholds, c is at least
/// 1e-10, and nothing gives 1: a quantizer that never ran keeps threshold 1. Of zero points, c is
/// the statistic, and nothing gives 0.
class RunningMean {
 public:
  enum class Of { kThreshold, kZeroPoint };
  explicit RunningMean(Of of = Of::kThreshold) : of_(of), mean_(of == Of::kThreshold ? 1.0F : 0) {}

  void add(float statistic);
  int64_t calls() const { return calls_; }
  float value() const { return mean_; }

 private:
  Of of_;
  float mean_;
  int64_t calls_ = 0;
};

}  // namespace ptq::quant
