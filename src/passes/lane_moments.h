#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "passes/unfold.h"

namespace ptq::passes {

/// What InputMoments sums, of kLanes groups side by side: [K, K, kLanes], and [K, kLanes] for sums.
struct LaneMoments {
  std::vector<double> hessian, cross, input_sums, float_sums;
  double energy = 0;
};

struct LaneInputs {
  const Unfold& unfold;
  /// As Unfold takes them; the second may be undefined, and with it what follows from it.
  at::Tensor input, float_input;
  /// [groups, out / groups, K], its columns in the order of Unfold.
  at::Tensor float_rows;
  /// Whether sums of the inputs are wanted.
  bool means = false;
};

/// Over lines begin .. end - 1 of the unfolded input, on the calling thread.
LaneMoments lane_moments(const LaneInputs& inputs, int64_t first_group, int64_t begin, int64_t end);

}  // namespace ptq::passes
