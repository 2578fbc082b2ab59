#include "ptq/data/sampling.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>

#include "ptq/base/error.h"

namespace ptq::data {
namespace {

// The standard fixes what the engine yields, but neither std::shuffle nor the distributions; so
// that a seed means the same everywhere, the shuffle is spelled out.
class Shuffler {
 public:
  explicit Shuffler(uint64_t seed) : engine_(seed) {}

  template <class T>
  void shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  // Uniform in [0, bound): draws from the incomplete last interval are thrown away.
  size_t below(size_t bound) {
    const uint64_t usable = std::mt19937_64::max() - std::mt19937_64::max() % bound;
    uint64_t draw = engine_();
    while (draw >= usable) draw = engine_();
    return static_cast<size_t>(draw % bound);
  }

  std::mt19937_64 engine_;
};

std::vector<int64_t> in_order(size_t count) {
  std::vector<int64_t> items(count);
  std::iota(items.begin(), items.end(), int64_t{0});
  return items;
}

std::vector<int64_t> shuffled(size_t count, uint64_t seed) {
  std::vector<int64_t> items = in_order(count);
  Shuffler(seed).shuffle(items);
  return items;
}

std::vector<int64_t> round_robin(const ImageFolder& folder, size_t count, uint64_t seed) {
  std::vector<std::vector<int64_t>> by_class(std::max<size_t>(folder.classes.size(), 1));
  for (size_t i = 0; i < folder.items.size(); ++i) {
    by_class[static_cast<size_t>(folder.items[i].label)].push_back(static_cast<int64_t>(i));
  }
  Shuffler shuffler(seed);
  for (std::vector<int64_t>& items : by_class) shuffler.shuffle(items);
  shuffler.shuffle(by_class);

  std::vector<int64_t> drawn;
  for (size_t round = 0; drawn.size() < count; ++round) {
    for (const std::vector<int64_t>& items : by_class) {
      if (round < items.size() && drawn.size() < count) drawn.push_back(items[round]);
    }
  }
  return drawn;
}

}  // namespace

std::vector<int64_t> draw_calibration_items(const ImageFolder& folder, int64_t count,
                                            CalibrationSampling sampling, uint64_t seed) {
  const auto available = static_cast<int64_t>(folder.items.size());
  if (count < 0 || count > available) {
    throw DataError(std::to_string(count) +
                    " calibration images were asked for, but the folder has " +
                    std::to_string(available));
  }
  const auto wanted = static_cast<size_t>(count);
  if (sampling == CalibrationSampling::kStratified) return round_robin(folder, wanted, seed);
  std::vector<int64_t> items = sampling == CalibrationSampling::kRandom
                                   ? shuffled(folder.items.size(), seed)
                                   : in_order(folder.items.size());
  items.resize(wanted);
  return items;
}

}  // namespace ptq::data
