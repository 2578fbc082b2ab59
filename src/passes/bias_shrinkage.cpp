#include "passes/bias_shrinkage.h"

#include <ATen/ops/abs.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace ptq::passes {
namespace {

/// Weights nearer to zero count as this.
constexpr float kSmallest = 1e-9F;
/// Partial sums, so that the loop vectorises.
constexpr size_t kLanes = 16;

/// Where the values of one |b| / |w| lie. That the median exceeds a number is a matter of counting:
/// nothing is sorted.
class RatioStatistics {
 public:
  explicit RatioStatistics(std::array<float, 2> thresholds) : thresholds_(thresholds) {}

  void add_channel(const float* weights, size_t count, float bias) {
    Lanes lanes;
    size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) add(weights[i + lane], bias, lane, lanes);
    }
    for (size_t lane = 0; i < count; ++i, ++lane) add(weights[i], bias, lane, lanes);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      sum_ += static_cast<double>(lanes.sums[lane]);
      below_[0] += lanes.below_first[lane];
      below_[1] += lanes.below_second[lane];
    }
    count_ += static_cast<int64_t>(count);
  }

  /// The lower of the two middle ones, as the reference takes it.
  bool median_exceeds(size_t threshold) const { return below_[threshold] <= (count_ - 1) / 2; }
  double mean() const { return sum_ / static_cast<double>(count_); }

 private:
  struct Lanes {
    std::array<float, kLanes> sums{};
    std::array<int32_t, kLanes> below_first{}, below_second{};
  };

  void add(float weight, float bias, size_t lane, Lanes& lanes) const {
    const float ratio = bias / std::max(std::abs(weight), kSmallest);
    lanes.sums[lane] += ratio;
    lanes.below_first[lane] += ratio <= thresholds_[0] ? 1 : 0;
    lanes.below_second[lane] += ratio <= thresholds_[1] ? 1 : 0;
  }

  std::array<float, 2> thresholds_;
  std::array<int64_t, 2> below_{};
  double sum_ = 0;
  int64_t count_ = 0;
};

RatioStatistics ratios(const at::Tensor& weight, const at::Tensor& bias,
                       std::array<float, 2> thresholds) {
  RatioStatistics statistics(thresholds);
  const int64_t channels = bias.numel(), count = weight.numel() / channels;
  const float* weights = weight.data_ptr<float>();
  const float* biases = bias.data_ptr<float>();
  for (int64_t c = 0; c < channels; ++c) {
    statistics.add_channel(weights + c * count, static_cast<size_t>(count), std::abs(biases[c]));
  }
  return statistics;
}

}  // namespace

double bias_shrinkage(const at::Tensor& weight, int64_t channel_axis, const at::Tensor& bias,
                      double largest_weight) {
  const at::Tensor rows = weight.movedim(channel_axis, 0).contiguous();
  const at::Tensor biases = bias.contiguous();
  const double largest_bias = biases.abs().max().item<double>();
  const double largest = std::max(largest_weight, static_cast<double>(kSmallest));
  if (largest_bias < 10 && largest_bias / largest < 20) {
    const RatioStatistics found = ratios(rows, biases, {100, 100});
    return found.median_exceeds(0) || found.mean() > 1000 ? 5 : 2;
  }
  const RatioStatistics found = ratios(rows, biases, {30, 15});
  if (found.median_exceeds(0) || found.mean() > 500) return 20;
  return found.median_exceeds(1) || found.mean() > 250 ? 10 : 5;
}

}  // namespace ptq::passes
