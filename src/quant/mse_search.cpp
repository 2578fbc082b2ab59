#include "quant/mse_search.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>

#include "base/threads.h"
#include "quant/element_params.h"
#include "quant/kernels.h"
#include "quant/mse_grid.h"
#include "quant/scale_of_threshold.h"

namespace ptq::quant {
namespace {

/// The best of the grid below `range`; params_of(candidate) gives what to quantize with.
template <class ParamsOf>
float search_grid(const float* weights, int64_t count, float range, ParamsOf params_of) {
  GridLosses losses{};
  const int64_t grain = std::max<int64_t>(1, kParallelGrain / (count + 1));
  at::parallel_for(0, kGridSize, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const ElementParams params = params_of(grid_candidate(range, static_cast<int>(i)));
      losses[static_cast<size_t>(i)] = squared_error(weights, count, params);
    }
  });
  return best_candidate(range, losses);
}

}  // namespace

float best_candidate(float range, const GridLosses& losses) {
  float best = range / static_cast<float>(kGridParts);
  float best_loss = std::numeric_limits<float>::infinity();
  for (int i = 0; i < kGridSize; ++i) {
    const auto loss = static_cast<float>(losses[static_cast<size_t>(i)]);
    if (!(loss < best_loss)) continue;
    best_loss = loss;
    best = grid_candidate(range, i);
  }
  return best;
}

MseSolution mse_search(const float* weights, int64_t count, const MseSolution& range,
                       const Quantizer& quantizer) {
  const bool is_symmetric = quantizer.symmetry == Symmetry::kSymmetric;
  const auto params_of = [&](float threshold, float zero) {
    const float scale = scale_of_threshold(threshold, quantizer);
    return element_params(quantizer, scale,
                          is_symmetric ? 0 : zero_point_of(zero, scale, *quantizer.integer()));
  };
  MseSolution best = range;
  best.threshold = search_grid(weights, count, range.threshold,
                               [&](float candidate) { return params_of(candidate, range.zero); });
  if (is_symmetric) return best;
  best.zero = search_grid(weights, count, range.zero,
                          [&](float candidate) { return params_of(best.threshold, candidate); });
  return best;
}

}  // namespace ptq::quant
