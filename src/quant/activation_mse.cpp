#include "quant/activation_mse.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "quant/counted_statistic.h"
#include "quant/element_params.h"
#include "quant/kernels.h"
#include "quant/mse_grid.h"
#include "quant/scale_of_threshold.h"
#include "quant/statistics.h"

namespace ptq::quant {
namespace {

/// Values that stay in the fastest cache while every candidate reads them.
constexpr int64_t kValuesAtOnce = 4096;

enum Pass : int { kRangePass = 0, kThresholdPass = 1, kZeroPass = 2 };

class MseStatistic : public CountedStatistic<MseStatistic> {
 public:
  MseStatistic(Quantizer quantizer, double divisor, int64_t count)
      : CountedStatistic(count),
        quantizer_(std::move(quantizer)),
        divisor_(static_cast<float>(divisor)) {}

  int passes() const override { return is_symmetric() ? 2 : 3; }

  void start(int pass) {
    range_ = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
    losses_ = {};
    is_range_pass_ = pass == kRangePass;
    if (is_range_pass_) return;
    for (int i = 0; i < kGridSize; ++i) {
      params_[static_cast<size_t>(i)] =
          pass == kThresholdPass ? params(grid_candidate(best_.threshold, i), best_.zero_point)
                                 : params(best_.threshold, grid_candidate(best_.zero_point, i));
    }
  }

  void take(const float* values, int64_t count) {
    if (is_range_pass_) {
      range_ = range_of(range_, range_of(values, count));
      return;
    }
    for (int64_t begin = 0; begin < count; begin += kValuesAtOnce) {
      const int64_t size = std::min(kValuesAtOnce, count - begin);
      for (size_t i = 0; i < losses_.size(); ++i) {
        losses_[i] += squared_error(values + begin, size, params_[i]);
      }
    }
  }

  void absorb(const MseStatistic& other) {
    range_ = range_of(range_, other.range_);
    for (size_t i = 0; i < losses_.size(); ++i) losses_[i] += other.losses_[i];
  }

  void finish(int pass) {
    if (pass == kRangePass) {
      best_ = {is_symmetric() ? range_.absmax() : range_.interval(),
               is_symmetric() ? 0 : range_.zero()};
    } else if (pass == kThresholdPass) {
      best_.threshold = best_candidate(best_.threshold, losses_);
    } else {
      best_.zero_point = best_candidate(best_.zero_point, losses_);
    }
  }

  ActivationThreshold threshold() const { return best_; }

 private:
  bool is_symmetric() const { return quantizer_.symmetry == Symmetry::kSymmetric; }

  ElementParams params(float threshold, float zero) const {
    const float scale = std::max(threshold, kSmallestScale) / divisor_;
    return element_params(quantizer_, scale,
                          is_symmetric() ? 0 : zero_point_of(zero, scale, *quantizer_.integer()));
  }

  Quantizer quantizer_;
  float divisor_;
  ActivationThreshold best_;
  bool is_range_pass_ = true;
  Range range_;
  GridLosses losses_{};
  std::array<ElementParams, kGridSize> params_;
};

}  // namespace

std::unique_ptr<ActivationStatistic> make_mse_statistic(const Quantizer& quantizer, double divisor,
                                                        int64_t count) {
  return std::make_unique<MseStatistic>(quantizer, divisor, count);
}

}  // namespace ptq::quant
