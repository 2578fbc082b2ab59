#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "passes/rounding/lane_unfold.h"

namespace ptq::passes {

/// What InputMoments sums, of kLanes groups side by side: [K, K, kLanes], and [K, kLanes] for sums.
struct LaneMoments {
  std::vector<double> hessian, cross, input_sums, float_sums;
  double energy = 0;
};

struct LaneInputs {
  const LaneUnfold& unfold;
  /// [N, ..., C]; the second may be undefined, and with it what follows from it.
  at::Tensor input, float_input;
  /// [groups, out / groups, K].
  at::Tensor float_rows;
  /// Whether sums of the inputs are wanted.
  bool means = false;
};

/// Over those lines of the unfolded input, on the calling thread.
LaneMoments lane_moments(const LaneInputs& inputs, int64_t first_group, const int64_t* begin,
                         const int64_t* end);

}  // namespace ptq::passes
