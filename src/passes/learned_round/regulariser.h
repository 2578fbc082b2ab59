#pragma once

#include <cstdint>

namespace ptq::passes {

/// How strongly a step pushes roundings to decide: weight times indecision(h, beta) for each.
struct Regulariser {
  float weight = 0;
  float beta = 2;
};

/// At step t of n, counted from 1: nothing for the first fifth, then weight 0.01 and
/// beta = 2 + 18 max(0, 1 - (t - 0.2 n) / (0.8 n)) (reference-contract 6.12, for n = 1000).
Regulariser regulariser_at(int64_t step, int64_t steps);

/// The share of the learning rate in force at step t of n, counted from 1, if it falls linearly.
double linear_share(int64_t step, int64_t steps);

}  // namespace ptq::passes
