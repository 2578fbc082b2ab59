#include "quant/hqo.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/element_params.h"
#include "quant/kernels.h"
#include "quant/scale_of_threshold.h"
#include "quant/statistics.h"

namespace ptq::quant {
namespace {

constexpr int kIterations = 1000;
constexpr double kBetaGrowth = 1.01;
constexpr double kScaleBeta = 1e5;
constexpr float kScaleNorm = 0.7F;
constexpr double kZeroBeta = 1;

/// sign(e) * max(|e| - |e|^(p - 1) / beta, 0)
float shrink(float error, float power, float inverse_beta) {
  const float size = std::abs(error) - inverse_beta * power;
  return size > 0 ? std::copysign(size, error) : 0;
}

/// The lower of two middles; NaN of nothing.
float median(std::vector<float>& values) {
  if (values.empty()) return std::numeric_limits<float>::quiet_NaN();
  const auto middle = values.begin() + static_cast<int64_t>(values.size() - 1) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Rows of a weight with a number each to improve, and the best numbers so far.
struct Search {
  const Partition& rows;
  std::vector<float> candidate;
  std::vector<float> best = candidate;
  float best_loss = std::numeric_limits<float>::infinity();

  /// Calls row(index, weights, count) in parallel.
  template <class Row>
  void for_each_row(Row each) const {
    at::parallel_for(0, rows.rows(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Partition::Row row = rows.row(i);
        each(static_cast<size_t>(i), rows.data() + row.begin, row.size);
      }
    });
  }

  /// Mean |fake_quantize(x) - x| of the whole weight.
  template <class ParamsOf>
  float loss(ParamsOf params_of) const {
    std::vector<double> sums(candidate.size());
    for_each_row([&](size_t index, const float* weights, int64_t count) {
      sums[index] = absolute_error(weights, count, params_of(index));
    });
    double sum = 0;
    for (const double row_sum : sums) sum += row_sum;
    return static_cast<float>(sum / static_cast<double>(rows.values().numel()));
  }

  /// update(index, weights, count, 1 / beta) returns the next candidate of a row.
  template <class ParamsOf, class Update>
  void run(double beta, ParamsOf params_of, Update update) {
    for (int iteration = 0; iteration < kIterations; ++iteration, beta *= kBetaGrowth) {
      const float now = loss(params_of);
      if (!(now < best_loss)) return;
      best_loss = now;
      best = candidate;
      for_each_row([&](size_t index, const float* weights, int64_t count) {
        candidate[index] = update(index, weights, count, static_cast<float>(1 / beta));
      });
    }
  }
};

/// r = median((x - e) / q), the scale that brings the codes nearest to the weights.
float better_scale(const float* weights, int64_t count, const QParams& params, float inverse_beta) {
  std::vector<float> ratios;
  ratios.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const float x = weights[i];
    const float code = quantize(x, params);
    if (code == 0) continue;
    const float error = x - dequantize(code, params);
    const float power = std::pow(std::abs(error), kScaleNorm - 1);
    const float target = x - shrink(error, power, inverse_beta);
    if (target != 0) ratios.push_back(target / code);
  }
  const float ratio = median(ratios);
  return std::copysign(std::max(std::abs(ratio), kSmallestScale), ratio);
}

/// mean((x - e) - i * s) with i = q / s + z; the norm is 0.5, and |e|^-0.5 a root.
float better_zero(const float* weights, int64_t count, const QParams& params, float inverse_beta) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float x = weights[i];
    const float y = fake_quantize(x, params);
    const float error = x - y;
    const float target = x - shrink(error, 1 / std::sqrt(std::abs(error)), inverse_beta);
    sum += static_cast<double>(target - (y / params.scale + params.zero_point) * params.scale);
  }
  return static_cast<float>(sum / static_cast<double>(count));
}

std::vector<Range> row_ranges(const Partition& rows) {
  std::vector<Range> ranges;
  for (int64_t i = 0; i < rows.rows(); ++i) {
    const Partition::Row row = rows.row(i);
    ranges.push_back(range_of(rows.data() + row.begin, row.size));
  }
  return ranges;
}

}  // namespace

RowSolutions hqo_scales(const Partition& rows, const Quantizer& quantizer) {
  const auto divisor = static_cast<float>(threshold_divisor(quantizer));
  std::vector<float> thresholds;
  for (const Range& range : row_ranges(rows)) thresholds.push_back(range.absmax());
  Search search{rows, thresholds};
  const auto params_of = [&](size_t index) {
    const float scale = scale_of_threshold(std::abs(search.candidate[index]), quantizer);
    return std::get<QParams>(element_params(quantizer, scale, 0));
  };
  search.run(kScaleBeta, params_of,
             [&](size_t index, const float* weights, int64_t count, float inverse_beta) {
               const float ratio = better_scale(weights, count, params_of(index), inverse_beta);
               const float next = ratio * divisor;
               return std::isfinite(next) ? next : search.candidate[index];
             });
  for (float& threshold : search.best) {
    threshold = scale_of_threshold(std::abs(threshold), quantizer);
  }
  return {search.best, {}};
}

RowSolutions hqo_zero_points(const Partition& rows, const Quantizer& quantizer) {
  RowSolutions solution;
  std::vector<float> zeros;
  for (const Range& range : row_ranges(rows)) {
    solution.scales.push_back(scale_of_threshold(range.interval(), quantizer));
    zeros.push_back(range.zero());
  }
  Search search{rows, zeros};
  const auto params_of = [&](size_t index) {
    const float scale = solution.scales[index];
    return std::get<QParams>(element_params(quantizer, scale, -search.candidate[index] / scale));
  };
  search.run(kZeroBeta, params_of,
             [&](size_t index, const float* weights, int64_t count, float inverse_beta) {
               return better_zero(weights, count, params_of(index), inverse_beta);
             });
  for (size_t i = 0; i < zeros.size(); ++i) {
    solution.zero_points.push_back(std::abs(search.best[i]) / solution.scales[i]);
  }
  return solution;
}

}  // namespace ptq::quant
