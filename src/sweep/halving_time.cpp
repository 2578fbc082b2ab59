#include "sweep/halving_time.h"

#include <algorithm>
#include <optional>

#include "sweep/halving.h"

namespace ptq::sweep {
namespace {

double halving_seconds(const RunCost& cost, const std::vector<int64_t>& sizes, size_t from,
                       size_t contenders) {
  double seconds = 0;
  for (size_t i = from; i < sizes.size(); ++i) {
    const size_t running = i + 1 == sizes.size() ? 1 : contenders;
    seconds += static_cast<double>(running) * cost.seconds(sizes[i]);
    contenders = survivors(contenders, std::nullopt);
  }
  return seconds;
}

}  // namespace

void RunCost::add(double seconds, double evaluation, int64_t images) {
  (runs_++ == 0 ? first_ : others_) += std::max(seconds - evaluation, 0.0);
  evaluation_ += evaluation;
  images_ += images;
}

double RunCost::seconds(int64_t images) const {
  if (runs_ == 0) return 0;
  const double fixed = runs_ == 1 ? first_ : others_ / static_cast<double>(runs_ - 1);
  const double evaluated = static_cast<double>(std::max<int64_t>(images_, 1));
  return fixed + evaluation_ / evaluated * static_cast<double>(images);
}

size_t affordable(const RunCost& cost, const std::vector<int64_t>& sizes, size_t from, size_t most,
                  double seconds) {
  size_t enough = 1;
  size_t too_many = std::max<size_t>(most, 1) + 1;
  while (too_many - enough > 1) {
    const size_t middle = enough + (too_many - enough) / 2;
    (halving_seconds(cost, sizes, from, middle) <= seconds ? enough : too_many) = middle;
  }
  return enough;
}

size_t first_size(const RunCost& cost, const std::vector<int64_t>& sizes, size_t most,
                  double seconds) {
  const size_t last = sizes.size() - 2;
  for (size_t i = 0; i < last; ++i) {
    size_t contenders = affordable(cost, sizes, i, most, seconds);
    for (size_t round = i; round < last; ++round) {
      contenders = survivors(contenders, std::nullopt);
    }
    if (contenders >= 2) return i;
  }
  return last;
}

}  // namespace ptq::sweep
