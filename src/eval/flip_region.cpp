#include "eval/flip_region.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ptq::eval {
namespace {

/// n log p, where nothing has no weight however unlikely it is.
double weighted_log(double n, double p) { return n == 0 ? 0 : n * std::log(p); }

/// The rate of `second` under which the flips are likeliest, if `first` happens `drop` >= 0 more
/// often: the root in [0, (1 - drop) / 2] of
///   2 n q^2 + (d (2 n - b + c) - b - c) q - c d (1 - d) = 0.
double likeliest_second(double n, double b, double c, double drop) {
  const double linear = drop * (2 * n - b + c) - b - c;
  const double constant = -c * drop * (1 - drop);
  const double root = std::sqrt(linear * linear - 8 * n * constant);
  // Of the two ways to write the root, the one that does not subtract equal numbers.
  const double q = linear > 0 ? -2 * constant / (linear + root) : (root - linear) / (4 * n);
  return std::clamp(q, 0.0, (1 - drop) / 2);
}

/// Binomial probabilities of one success rate.
class Binomial {
 public:
  Binomial(const std::vector<double>& log_factorials, double rate)
      : log_factorials_(log_factorials), rate_(rate) {}

  double operator()(int64_t n, int64_t k) const {
    if (k < 0 || k > n) return 0;
    const auto at = [&](int64_t i) { return log_factorials_[static_cast<size_t>(i)]; };
    const auto successes = static_cast<double>(k);
    return std::exp(at(n) - at(k) - at(n - k) + weighted_log(successes, rate_) +
                    weighted_log(static_cast<double>(n) - successes, 1 - rate_));
  }

  /// Of at least k successes, added up from the side on which there is less.
  double at_least(int64_t n, int64_t k) const {
    const bool above = static_cast<double>(k) > static_cast<double>(n) * rate_;
    double sum = 0;
    const int64_t step = above ? 1 : -1;
    for (int64_t i = above ? k : k - 1; i >= 0 && i <= n; i += step) {
      const double more = (*this)(n, i);
      sum += more;
      if (more < 1e-17 * sum) break;
    }
    return above ? sum : 1 - sum;
  }

  double rate() const { return rate_; }

 private:
  const std::vector<double>& log_factorials_;
  double rate_;
};

}  // namespace

FlipRegion::FlipRegion(int64_t count) : count_(count) {
  log_factorials_.resize(static_cast<size_t>(count) + 1);
  for (size_t i = 1; i < log_factorials_.size(); ++i) {
    log_factorials_[i] = log_factorials_[i - 1] + std::log(static_cast<double>(i));
  }
}

double FlipRegion::signed_root(Flips flips, double drop) const {
  if (drop < 0) return -signed_root({flips.second, flips.first}, -drop);
  const auto n = static_cast<double>(count_);
  const auto b = static_cast<double>(flips.first);
  const auto c = static_cast<double>(flips.second);
  const double rest = n - b - c;
  const double q = likeliest_second(n, b, c, drop);
  const auto gain = [n](double seen, double rate) {
    return seen == 0 ? 0 : -seen * std::log(n * rate / seen);
  };
  const double ratio = gain(b, q + drop) + gain(c, q) + gain(rest, 1 - 2 * q - drop);
  const double root = std::sqrt(2 * std::max(ratio, 0.0));
  return b - c < n * drop ? -root : root;
}

// One flip more moves the boundary by at most one: with it among `second` r falls, and among
// `first` it grows.
std::vector<int64_t> FlipRegion::boundary(double bound, double drop) const {
  std::vector<int64_t> fewest(static_cast<size_t>(count_) + 1);
  // The same outcome, computed twice, is as extreme as itself.
  const double reached = bound - 1e-9;
  int64_t first = 0;
  for (int64_t flips = 0; flips <= count_; ++flips) {
    if (first <= flips && signed_root({first, flips - first}, drop) < reached) ++first;
    fewest[static_cast<size_t>(flips)] = first;
  }
  return fewest;
}

// The number of flips is binomial, and so is that of `first` among them. From one number of flips m
// to the next, P(at least k of m) changes by single terms.
double FlipRegion::tail_within(const std::vector<int64_t>& boundary, double rate,
                               double drop) const {
  const double first_rate = rate + std::max(drop, 0.0);
  const double flip_rate = 2 * rate + std::abs(drop);
  if (flip_rate == 0) return boundary[0] == 0 ? 1 : 0;
  const Binomial flips(log_factorials_, std::min(flip_rate, 1.0));
  const Binomial among(log_factorials_, first_rate / flip_rate);
  const double mean = static_cast<double>(count_) * flips.rate();
  const double width = 7 * std::sqrt(mean * (1 - flips.rate())) + 20;
  const int64_t begin = std::max<int64_t>(0, static_cast<int64_t>(mean - width));
  const int64_t end = std::min(count_, static_cast<int64_t>(mean + width));
  int64_t k = boundary[static_cast<size_t>(begin)];
  double at_least_k = among.at_least(begin, k);
  double sum = 0;
  for (int64_t m = begin; m <= end; ++m) {
    if (m > begin) at_least_k += among.rate() * among(m - 1, k - 1);
    if (boundary[static_cast<size_t>(m)] > k) at_least_k -= among(m, k++);
    sum += flips(count_, m) * at_least_k;
  }
  return std::clamp(sum, 0.0, 1.0);
}

double FlipRegion::tail_at(double rate, double bound, double drop) const {
  return tail_within(boundary(bound, drop), rate, drop);
}

// The probability waves with the rate, in waves about as long as sqrt(count * rate) grows by one,
// and ever flatter.
double FlipRegion::tail(double bound, double drop) const {
  const std::vector<int64_t> limits = boundary(bound, drop);
  const auto n = static_cast<double>(count_);
  const double last = std::sqrt(n * (1 - std::abs(drop)) / 2);
  const auto at = [&](double root) { return tail_within(limits, root * root / n, drop); };
  double best = 0;
  double best_root = 0;
  double best_step = 0;
  const auto look = [&](double root, double step) {
    const double found = at(std::clamp(root, 0.0, last));
    if (found <= best) return;
    best = found;
    best_root = root;
    best_step = step;
  };
  for (double root = 0; root < last;) {
    const double step = std::max(0.2, root * 0.12);
    look(root, step);
    root += step;
  }
  look(last, last * 0.12);
  for (int halving = 0; halving < 6; ++halving) {
    const double step = best_step / 2;
    const double centre = best_root;
    best_step = step;
    look(centre - step, step);
    look(centre + step, step);
  }
  return best;
}

}  // namespace ptq::eval
