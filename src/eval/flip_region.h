#pragma once

#include <cstdint>
#include <vector>

namespace ptq::eval {

/// Numbers of images that only the first classifier gets right, and only the second.
struct Flips {
  int64_t first = 0;
  int64_t second = 0;
};

/// Probabilities of outcomes of `count` images (drop_test.h), -1 < drop < 1.
class FlipRegion {
 public:
  explicit FlipRegion(int64_t count);

  /// r: the signed root of twice the log likelihood ratio between the best rates of all and the
  /// best with this drop; positive where more was lost. Grows with `first`, falls with `second`.
  double signed_root(Flips flips, double drop) const;

  /// The largest probability of r >= `bound`, over all rates of flips with this drop.
  double tail(double bound, double drop) const;

  /// The same for certain rates: the smaller of the two is `rate`, the other rate + |drop|.
  double tail_at(double rate, double bound, double drop) const;

 private:
  /// By number of flips: the fewest `first` with r >= bound; one more than there are flips where
  /// none has.
  std::vector<int64_t> boundary(double bound, double drop) const;
  double tail_within(const std::vector<int64_t>& boundary, double rate, double drop) const;
  double log_binomial(int64_t n, int64_t k) const;

  int64_t count_;
  std::vector<double> log_factorials_;
};

}  // namespace ptq::eval
