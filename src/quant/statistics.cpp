#include "ptq/quant/statistics.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "ptq/base/error.h"

namespace ptq::quant {
namespace {

uint32_t magnitude_bits(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits & 0x7FFFFFFFU;
}

/// Whether a magnitude lies above `floor`, which is rare: one vectorised scan a block.
#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
bool any_above(const float* values, int64_t count, uint32_t floor) {
  int above = 0;
  const auto bound = static_cast<int32_t>(floor);
  for (int64_t i = 0; i < count; ++i) {
    int32_t bits = 0;
    std::memcpy(&bits, values + i, sizeof(bits));
    above |= static_cast<int>((bits & 0x7FFFFFFF) > bound);
  }
  return above != 0;
}

constexpr int64_t kBlock = 256;
constexpr int64_t kSlack = 1 << 14;

}  // namespace

at::Tensor absmax_weight_scale(const at::Tensor& weight, const Quantizer& quantizer) {
  std::vector<int64_t> reduced;
  for (int64_t dim = 0; dim < weight.dim(); ++dim) {
    if (quantizer.granularity == Granularity::kPerTensor || dim != quantizer.axis) {
      reduced.push_back(dim);
    }
  }
  const at::Tensor absmax = at::amax(at::abs(weight), reduced);
  return absmax.clamp_min(kSmallestScale).div(quantizer.format.threshold_divisor());
}

at::Tensor scale_of_threshold(float threshold, double threshold_divisor) {
  const float scale = threshold / static_cast<float>(threshold_divisor);
  return at::scalar_tensor(std::max(scale, kSmallestScale));
}

int64_t percentile_rank(double percentile, int64_t count) {
  const double rank = 0.01 * percentile * static_cast<double>(count) + 0.5;
  return std::clamp<int64_t>(static_cast<int64_t>(std::floor(rank)), 1, count);
}

AbsPercentile::AbsPercentile(double percentile, int64_t count)
    : count_(count), kept_(count - percentile_rank(percentile, count) + 1) {}

void AbsPercentile::add(const float* values, int64_t count) {
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t size = std::min(kBlock, count - begin);
    const bool full = static_cast<int64_t>(largest_.size()) >= kept_;
    if (full && !any_above(values + begin, size, floor_)) continue;
    for (int64_t i = begin; i < begin + size; ++i) {
      const uint32_t bits = magnitude_bits(values[i]);
      if (!full || bits > floor_) largest_.push_back(bits);
    }
    if (static_cast<int64_t>(largest_.size()) > 2 * kept_ + kSlack) shrink();
  }
  seen_ += count;
}

void AbsPercentile::shrink() {
  const auto smallest_kept = largest_.begin() + (kept_ - 1);
  std::nth_element(largest_.begin(), smallest_kept, largest_.end(), std::greater<>());
  floor_ = *smallest_kept;
  largest_.resize(static_cast<size_t>(kept_));
}

void AbsPercentile::merge(const AbsPercentile& other) {
  largest_.insert(largest_.end(), other.largest_.begin(), other.largest_.end());
  seen_ += other.seen_;
  if (static_cast<int64_t>(largest_.size()) > kept_) shrink();
}

float AbsPercentile::result() const {
  if (seen_ != count_) throw InternalError("percentile asked for before all values came");
  std::vector<uint32_t> values = largest_;
  const auto smallest_kept = values.begin() + (kept_ - 1);
  std::nth_element(values.begin(), smallest_kept, values.end(), std::greater<>());
  float result = 0;
  std::memcpy(&result, &*smallest_kept, sizeof(result));
  return result;
}

void RunningMean::add(float statistic) {
  ++calls_;
  const float clamped = std::max(statistic, kSmallestScale);
  const auto n = static_cast<float>(calls_);
  mean_ = calls_ == 1 ? clamped : mean_ * ((n - 1) / n) + clamped / n;
}

}  // namespace ptq::quant
