#pragma once

#include <cstdint>
#include <optional>
#include <vector>

/// Successive halving (Jamieson and Talwalkar 2016, https://arxiv.org/abs/1502.07943): all
/// configurations are ranked on few images, the better half on twice as many, and so on; those left
/// are evaluated on all.
namespace ptq::sweep {

/// Fewer images rank nothing.
inline constexpr int64_t kFewestImages = 100;

/// Sizes of the subsets in the order they are used, each half of the next, the last half of
/// `images`; none where there is one configuration or a subset would be below kFewestImages. At
/// most as many as leave two configurations for the whole set.
std::vector<int64_t> rung_sizes(int64_t images, size_t configurations);

/// How a configuration did on a rung.
struct Standing {
  size_t configuration = 0;
  int64_t correct = 0;
  /// Percent of predictions equal to the float network's: tells apart what is right as often.
  double agreement = 0;
};

/// The `keep` best, best first; equal ones in the order given.
std::vector<size_t> best_of(std::vector<Standing> standings, size_t keep);

/// How many go on: half, rounded up, and no more than can be evaluated in the time left, but one.
struct TimeLeft {
  double seconds = 0;
  /// What one configuration takes on the next subset.
  double seconds_each = 0;
};
size_t survivors(size_t contenders, const std::optional<TimeLeft>& time);

}  // namespace ptq::sweep
