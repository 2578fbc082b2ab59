#include "eval/drop_test.h"

#include <algorithm>
#include <cmath>

#include "eval/flip_region.h"
#include "ptq/base/error.h"

namespace ptq::eval {
namespace {

constexpr double kPrecision = 1e-5;

Flips flips_of(const PairedCounts& counts) {
  return {counts.only_first_right, counts.only_second_right};
}

/// Probability of what was seen or more loss, if the drop is `drop`.
double p_of_loss(const FlipRegion& region, Flips flips, double drop) {
  return region.tail(region.signed_root(flips, drop), drop);
}

/// The least drop under which a loss like this, or a greater one, is not rarer than `level`.
/// The probability grows with the drop.
double least_drop(const FlipRegion& region, Flips flips, double observed, double level) {
  double low = -1;
  double high = observed;
  // Nearer to the answer than -1 is: doubled steps from what was observed.
  for (double step = 64 * kPrecision; observed - step > -1; step *= 2) {
    if (p_of_loss(region, flips, observed - step) <= level) {
      low = observed - step;
      break;
    }
    high = observed - step;
  }
  while (high - low > kPrecision) {
    const double middle = (low + high) / 2;
    (p_of_loss(region, flips, middle) <= level ? low : high) = middle;
  }
  return low;
}

void check(const PairedCounts& counts, double drop) {
  if (counts.count < 1) throw InternalError("a drop of accuracy on no images");
  if (!(drop > -1 && drop < 1)) throw InternalError("a drop is a fraction between -1 and 1");
}

}  // namespace

double p_at_most(const PairedCounts& counts, double drop) {
  check(counts, drop);
  return p_of_loss(FlipRegion(counts.count), flips_of(counts), drop);
}

double p_at_least(const PairedCounts& counts, double drop) {
  check(counts, drop);
  return p_of_loss(FlipRegion(counts.count), {counts.only_second_right, counts.only_first_right},
                   -drop);
}

DropBounds drop_bounds(const PairedCounts& counts, double confidence) {
  check(counts, 0);
  const FlipRegion region(counts.count);
  const Flips flips = flips_of(counts);
  const double observed =
      static_cast<double>(flips.first - flips.second) / static_cast<double>(counts.count);
  const double level = 1 - confidence;
  return {observed, least_drop(region, flips, observed, level),
          -least_drop(region, {flips.second, flips.first}, -observed, level)};
}

double mcnemar_exact(const PairedCounts& counts) {
  const int64_t flips = counts.only_first_right + counts.only_second_right;
  const int64_t fewer = std::min(counts.only_first_right, counts.only_second_right);
  double sum = 0;
  for (int64_t k = 0; k <= fewer; ++k) {
    const auto n = static_cast<double>(flips);
    const auto i = static_cast<double>(k);
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) -
                    n * std::log(2.0));
  }
  return std::min(1.0, 2 * sum);
}

}  // namespace ptq::eval
