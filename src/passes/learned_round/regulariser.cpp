#include "passes/learned_round/regulariser.h"

#include <algorithm>

namespace ptq::passes {
namespace {

constexpr float kWeight = 0.01F;
constexpr double kWarmUp = 0.2;
constexpr double kLastBeta = 2;
constexpr double kBetaRange = 18;

}  // namespace

Regulariser regulariser_at(int64_t step, int64_t steps) {
  const double progress = static_cast<double>(step) / static_cast<double>(steps);
  if (progress < kWarmUp) return {};
  const double left = std::max(0.0, 1 - (progress - kWarmUp) / (1 - kWarmUp));
  return {kWeight, static_cast<float>(kLastBeta + kBetaRange * left)};
}

double linear_share(int64_t step, int64_t steps) {
  return 1 - static_cast<double>(step - 1) / static_cast<double>(steps);
}

}  // namespace ptq::passes
