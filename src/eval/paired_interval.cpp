#include "eval/paired_interval.h"

#include <algorithm>
#include <cmath>

namespace ptq::eval {

Interval paired_difference(const PairedCounts& counts) {
  constexpr double kTwoSided95 = 1.959963984540054;
  const auto n = static_cast<double>(counts.count);
  const auto b = static_cast<double>(counts.only_first_right);
  const auto c = static_cast<double>(counts.only_second_right);
  const double p_b = (b + 1) / (n + 2);
  const double p_c = (c + 1) / (n + 2);
  const double centre = p_c - p_b;
  const double half_width = kTwoSided95 * std::sqrt((p_b + p_c - centre * centre) / (n + 2));
  return {n > 0 ? (c - b) / n : 0, std::max(-1.0, centre - half_width),
          std::min(1.0, centre + half_width)};
}

}  // namespace ptq::eval
