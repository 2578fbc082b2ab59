#include "sweep/halving.h"

#include <algorithm>
#include <tuple>

namespace ptq::sweep {

std::vector<int64_t> rung_sizes(int64_t images, size_t configurations) {
  std::vector<int64_t> sizes;
  int64_t size = images / 2;
  for (size_t left = configurations; left > 2 && size >= kFewestImages; left = (left + 1) / 2) {
    sizes.push_back(size);
    size /= 2;
  }
  std::reverse(sizes.begin(), sizes.end());
  return sizes;
}

std::vector<size_t> best_of(std::vector<Standing> standings, size_t keep) {
  std::stable_sort(standings.begin(), standings.end(), [](const Standing& a, const Standing& b) {
    return std::tie(a.correct, a.agreement) > std::tie(b.correct, b.agreement);
  });
  std::vector<size_t> best;
  for (size_t i = 0; i < std::min(keep, standings.size()); ++i) {
    best.push_back(standings[i].configuration);
  }
  return best;
}

size_t survivors(size_t contenders, const std::optional<TimeLeft>& time) {
  const size_t half = (contenders + 1) / 2;
  if (!time || time->seconds_each <= 0) return half;
  const double affordable = std::max(time->seconds, 0.0) / time->seconds_each;
  if (affordable >= static_cast<double>(half)) return half;
  return std::max<size_t>(static_cast<size_t>(affordable), 1);
}

}  // namespace ptq::sweep
