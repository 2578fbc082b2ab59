#include "passes/equalization/weight_ratios.h"

#include <cmath>

#include "base/vector_loop.h"

namespace ptq::passes {
namespace {

inline float ratio(float bias, float weight, float smallest) {
  const float magnitude = std::abs(weight);
  return bias / (magnitude > smallest ? magnitude : smallest);
}

constexpr VectorLoop add_channel = [](const float* weights, const float* factors, int64_t count,
                                      float bias, float smallest, WeightRatios& ratios) {
  float sum = 0;
  int32_t at_most_15 = 0, at_most_30 = 0, at_most_100 = 0;
#pragma omp simd reduction(+ : sum, at_most_15, at_most_30, at_most_100)
  for (int64_t i = 0; i < count; ++i) {
    const float own = ratio(bias, weights[i] * factors[i], smallest);
    sum += own;
    at_most_15 += own <= 15 ? 1 : 0;
    at_most_30 += own <= 30 ? 1 : 0;
    at_most_100 += own <= 100 ? 1 : 0;
  }
  ratios.at_most_15 += at_most_15;
  ratios.at_most_30 += at_most_30;
  ratios.at_most_100 += at_most_100;
  return static_cast<double>(sum);
};

/// The lower of the two in the middle of all ratios exceeds a threshold; nothing has to be sorted.
bool median_exceeds(int64_t at_most, int64_t count) { return at_most <= (count - 1) / 2; }

}  // namespace

WeightRatios weight_ratios(const at::Tensor& weights, const at::Tensor& column_factors,
                           const at::Tensor& bias, const at::Tensor& smallest) {
  WeightRatios ratios;
  const int64_t count = weights.size(1);
  double sum = 0;
  for (int64_t c = 0; c < weights.size(0); ++c) {
    sum +=
        add_channel(weights.data_ptr<float>() + c * count, column_factors.data_ptr<float>(), count,
                    std::abs(bias.data_ptr<float>()[c]), smallest.data_ptr<float>()[c], ratios);
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
