#include "passes/weight_ratios.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "quant/vector_clones.h"

namespace ptq::passes {
namespace {

/// Partial sums, so that loops vectorise.
constexpr size_t kLanes = 16;

struct Lanes {
  std::array<float, kLanes> sums{};
  std::array<int32_t, kLanes> at_most_15{}, at_most_30{}, at_most_100{};
};

inline void add(float ratio, size_t lane, Lanes& lanes) {
  lanes.sums[lane] += ratio;
  lanes.at_most_15[lane] += ratio <= 15 ? 1 : 0;
  lanes.at_most_30[lane] += ratio <= 30 ? 1 : 0;
  lanes.at_most_100[lane] += ratio <= 100 ? 1 : 0;
}

inline float ratio(float bias, float weight, float smallest) {
  const float magnitude = std::abs(weight);
  return bias / (magnitude > smallest ? magnitude : smallest);
}

PTQ_VECTOR_CLONES
void add_channel(const float* weights, const float* factors, size_t count, float bias,
                 float smallest, Lanes& lanes) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      add(ratio(bias, weights[i + lane] * factors[i + lane], smallest), lane, lanes);
    }
  }
  for (size_t lane = 0; i < count; ++i, ++lane) {
    add(ratio(bias, weights[i] * factors[i], smallest), lane, lanes);
  }
}

template <class Numbers>
auto sum_of(const Numbers& numbers) {
  decltype(numbers[0] + int64_t{}) sum{};
  for (const auto number : numbers) sum += number;
  return sum;
}

/// The lower of the two in the middle of all ratios exceeds a threshold; nothing has to be sorted.
bool median_exceeds(int64_t at_most, int64_t count) { return at_most <= (count - 1) / 2; }

}  // namespace

WeightRatios weight_ratios(const at::Tensor& weights, const at::Tensor& column_factors,
                           const at::Tensor& bias, const at::Tensor& smallest) {
  WeightRatios ratios;
  const auto count = static_cast<size_t>(weights.size(1));
  double sum = 0;
  for (int64_t c = 0; c < weights.size(0); ++c) {
    Lanes lanes;
    add_channel(weights.data_ptr<float>() + c * weights.size(1), column_factors.data_ptr<float>(),
                count, std::abs(bias.data_ptr<float>()[c]), smallest.data_ptr<float>()[c], lanes);
    for (const float part : lanes.sums) sum += static_cast<double>(part);
    ratios.at_most_15 += sum_of(lanes.at_most_15);
    ratios.at_most_30 += sum_of(lanes.at_most_30);
    ratios.at_most_100 += sum_of(lanes.at_most_100);
  }
  ratios.count = weights.numel();
  ratios.mean = sum / static_cast<double>(ratios.count);
  return ratios;
}

double bias_shrinkage(const WeightRatios& ratios, double largest_bias, double largest_weight) {
  const int64_t count = ratios.count;
  if (largest_bias < 10 && largest_bias / largest_weight < 20) {
    return median_exceeds(ratios.at_most_100, count) || ratios.mean > 1000 ? 5 : 2;
  }
  if (median_exceeds(ratios.at_most_30, count) || ratios.mean > 500) return 20;
  return median_exceeds(ratios.at_most_15, count) || ratios.mean > 250 ? 10 : 5;
}

}  // namespace ptq::passes
