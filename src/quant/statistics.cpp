#include "quant/statistics.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "ptq/base/error.h"
#include "quant/float_order.h"
#include "quant/tail_scan.h"

namespace ptq::quant {
namespace {

/// Small, so that few values pass before the floor is worth something.
constexpr int64_t kSlack = 64;

int64_t within(double rank, int64_t count) {
  return std::clamp<int64_t>(static_cast<int64_t>(rank), 1, count);
}

}  // namespace

int64_t percentile_rank(double percentile, int64_t count) {
  return within(std::floor(0.01 * percentile * static_cast<double>(count) + 0.5), count);
}

int64_t low_percentile_rank(double percentile, int64_t count) {
  return within(std::ceil(0.01 * (100 - percentile) * static_cast<double>(count)), count);
}

/// Appends without a branch: which keys are above the floor cannot be predicted.
void LargestKeys::add(const int32_t* keys, int64_t count) {
  const size_t before = keys_.size();
  keys_.resize(before + static_cast<size_t>(count));
  int32_t* end = keys_.data() + before;
  for (int64_t i = 0; i < count; ++i) {
    *end = keys[i];
    end += keys[i] > floor_ ? 1 : 0;
  }
  keys_.resize(static_cast<size_t>(end - keys_.data()));
  if (static_cast<int64_t>(keys_.size()) > 2 * kept_ + kSlack) shrink();
}

void LargestKeys::merge(const LargestKeys& other) {
  keys_.insert(keys_.end(), other.keys_.begin(), other.keys_.end());
  if (static_cast<int64_t>(keys_.size()) > kept_) shrink();
}

void LargestKeys::shrink() {
  const auto smallest = keys_.begin() + (kept_ - 1);
  std::nth_element(keys_.begin(), smallest, keys_.end(), std::greater<>());
  floor_ = *smallest;
  keys_.resize(static_cast<size_t>(kept_));
}

int32_t LargestKeys::largest() const { return *std::max_element(keys_.begin(), keys_.end()); }

int32_t LargestKeys::smallest_kept() const {
  std::vector<int32_t> keys = keys_;
  const auto smallest = keys.begin() + (kept_ - 1);
  std::nth_element(keys.begin(), smallest, keys.end(), std::greater<>());
  return *smallest;
}

AbsPercentile::AbsPercentile(double percentile, int64_t count)
    : count_(count), magnitudes_(count - percentile_rank(percentile, count) + 1) {}

void AbsPercentile::add(const float* values, int64_t count) {
  add_tail(values, count, Tail::kMagnitude, magnitudes_);
  seen_ += count;
}

void AbsPercentile::merge(const AbsPercentile& other) {
  magnitudes_.merge(other.magnitudes_);
  seen_ += other.seen_;
}

float AbsPercentile::result() const {
  if (seen_ != count_) throw InternalError("percentile asked for before all values came");
  const float largest = value_of_key(magnitudes_.largest());
  return std::isfinite(largest) ? value_of_key(magnitudes_.smallest_kept()) : largest;
}

void RunningMean::add(float statistic) {
  ++calls_;
  const float c = of_ == Of::kThreshold ? std::max(statistic, kSmallestScale) : statistic;
  const auto n = static_cast<float>(calls_);
  mean_ = calls_ == 1 ? c : mean_ * ((n - 1) / n) + c / n;
}

}  // namespace ptq::quant
