#include "quant/activation_statistic.h"

#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <cmath>

#include "ptq/base/error.h"
#include "quant/activation_mse.h"
#include "quant/counted_statistic.h"
#include "quant/element_params.h"
#include "quant/float_order.h"
#include "quant/scale_of_threshold.h"
#include "quant/statistics.h"
#include "quant/tail_scan.h"

namespace ptq::quant {
namespace {

class AbsPercentileStatistic : public CountedStatistic<AbsPercentileStatistic> {
 public:
  AbsPercentileStatistic(double percentile, int64_t count)
      : CountedStatistic(count), empty_(percentile, count), percentile_(empty_) {}

  void start(int /*pass*/) { percentile_ = empty_; }
  void take(const float* values, int64_t count) { percentile_.add(values, count); }
  void absorb(const AbsPercentileStatistic& other) { percentile_.merge(other.percentile_); }
  void finish(int /*pass*/) {}
  ActivationThreshold threshold() const { return {percentile_.result(), 0}; }

 private:
  AbsPercentile empty_, percentile_;
};

/// From the low percentile or zero to the high one (reference-contract 3.5).
class IntervalStatistic : public CountedStatistic<IntervalStatistic> {
 public:
  IntervalStatistic(double percentile, int64_t count)
      : CountedStatistic(count),
        empty_low_(low_percentile_rank(percentile, count)),
        empty_high_(count - percentile_rank(percentile, count) + 1),
        low_(empty_low_),
        high_(empty_high_) {}

  void start(int /*pass*/) {
    low_ = empty_low_;
    high_ = empty_high_;
  }
  void take(const float* values, int64_t count) {
    add_tail(values, count, Tail::kLow, low_);
    add_tail(values, count, Tail::kHigh, high_);
  }
  void absorb(const IntervalStatistic& other) {
    low_.merge(other.low_);
    high_.merge(other.high_);
  }
  void finish(int /*pass*/) {}

  /// Whatever is not finite lies at the very end of a tail.
  ActivationThreshold threshold() const {
    for (const LargestKeys* tail : {&low_, &high_}) {
      const float extreme = value_of_key(tail->largest());
      if (!std::isfinite(extreme)) return {std::abs(extreme), 0};
    }
    const float zero = std::min(-value_of_key(low_.smallest_kept()), 0.0F);
    return {std::abs(value_of_key(high_.smallest_kept()) - zero), zero};
  }

 private:
  LargestKeys empty_low_, empty_high_, low_, high_;
};

}  // namespace

std::unique_ptr<ActivationStatistic> make_activation_statistic(const Quantizer& quantizer,
                                                               double percentile, int64_t count) {
  return make_activation_statistic(quantizer, threshold_divisor(quantizer), percentile, count);
}

std::unique_ptr<ActivationStatistic> make_activation_statistic(const Quantizer& quantizer,
                                                               double divisor, double percentile,
                                                               int64_t count) {
  check_quantizer(quantizer);
  if (!needs_calibration(quantizer)) {
    throw InternalError(quantizer.layer + ": its scale is not found by calibration");
  }
  if (count <= 0) throw InternalError(quantizer.layer + ": a statistic of no values");
  if (quantizer.calibration == Calibration::kMse) {
    return make_mse_statistic(quantizer, divisor, count);
  }
  if (quantizer.symmetry == Symmetry::kAsymmetric) {
    return std::make_unique<IntervalStatistic>(percentile, count);
  }
  const double of_magnitudes = quantizer.minifloat() != nullptr ? 100 : percentile;
  return std::make_unique<AbsPercentileStatistic>(of_magnitudes, count);
}

at::Tensor activation_scale(float threshold, double divisor, ScaleType type) {
  if (type == ScaleType::kPowerOfTwo) threshold = power_of_two_above(threshold);
  return at::scalar_tensor(std::max(threshold / static_cast<float>(divisor), kSmallestScale));
}

at::Tensor activation_zero_point(float mean, const at::Tensor& scale, const IntegerFormat& format) {
  return at::scalar_tensor(zero_point_of(mean, scale.item<float>(), format));
}

}  // namespace ptq::quant
