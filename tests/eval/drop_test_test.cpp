#include "eval/drop_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "eval/flip_region.h"
#include "eval/gate.h"

// The gate's statistics: against sums over all outcomes where there are few images, and by drawing
// flips with known rates where there are many.
namespace ptq::eval {
namespace {

PairedCounts counts_of(int64_t count, Flips flips) { return {count, 0, flips.first, flips.second}; }

/// Multinomial probability of an outcome.
double probability(int64_t n, Flips flips, double p, double q) {
  const auto part = [](int64_t k, double rate) {
    const auto seen = static_cast<double>(k);
    return (k == 0 ? 0 : seen * std::log(rate)) - std::lgamma(seen + 1);
  };
  const int64_t rest = n - flips.first - flips.second;
  return std::exp(std::lgamma(static_cast<double>(n) + 1) + part(flips.first, p) +
                  part(flips.second, q) + part(rest, std::max(0.0, 1 - p - q)));
}

template <class Visit>
void each_outcome(int64_t n, const Visit& visit) {
  for (int64_t b = 0; b <= n; ++b) {
    for (int64_t c = 0; b + c <= n; ++c) visit(Flips{b, c});
  }
}

// n = 10, b = 6, c = 1 at drop 0: rates of flips 0.35 each, so
// r^2 = 2 (6 log(6 / 3.5) + log(1 / 3.5)) = 3.96243, r = 1.99058.
TEST(SignedRoot, IsThatOfTheLikelihoodRatio) {
  const FlipRegion region(10);
  EXPECT_NEAR(region.signed_root({6, 1}, 0), 1.990585, 1e-5);
  EXPECT_NEAR(region.signed_root({1, 6}, 0), -1.990585, 1e-5);
  EXPECT_NEAR(region.signed_root({5, 2}, 0.3), 0, 1e-6);
  EXPECT_EQ(region.signed_root({0, 0}, 0), 0);
}

// The region of loss is walked along its boundary; that is right only if r grows with each image
// lost and falls with each won.
TEST(SignedRoot, GrowsWithLossAndFallsWithGain) {
  constexpr int64_t kCount = 25;
  const FlipRegion region(kCount);
  for (const double drop : {-0.3, -0.01, 0.0, 0.005, 0.1, 0.6}) {
    each_outcome(kCount - 1, [&](Flips flips) {
      const double here = region.signed_root(flips, drop);
      const Flips worse{flips.first + 1, flips.second};
      const Flips better{flips.first, flips.second + 1};
      EXPECT_GE(region.signed_root(worse, drop), here - 1e-9);
      EXPECT_LE(region.signed_root(better, drop), here + 1e-9);
    });
  }
}

TEST(Tail, IsTheSumOverAllOutcomesAsExtreme) {
  constexpr int64_t kCount = 30;
  const FlipRegion region(kCount);
  for (const double drop : {-0.2, 0.0, 0.005, 0.15}) {
    for (const double rate : {0.0, 0.01, 0.2, 0.4}) {
      for (const double bound : {-1.0, 0.5, 1.7, 3.0}) {
        const double p = rate + std::max(drop, 0.0);
        const double q = rate + std::max(-drop, 0.0);
        double sum = 0;
        each_outcome(kCount, [&](Flips flips) {
          if (region.signed_root(flips, drop) >= bound) sum += probability(kCount, flips, p, q);
        });
        EXPECT_NEAR(region.tail_at(rate, bound, drop), sum, 1e-9);
      }
    }
  }
}

// The largest probability is looked for at some rates; it must be the largest at all of them.
TEST(Tail, IsTheLargestOverAllRates) {
  for (const int64_t count : {20, 300, 5000}) {
    const FlipRegion region(count);
    for (const double drop : {-0.005, 0.0, 0.02}) {
      for (const double bound : {1.6, 2.5}) {
        double largest = 0;
        const double last = std::sqrt(static_cast<double>(count) * (1 - std::abs(drop)) / 2);
        for (double root = 0; root < std::min(last, 20.0); root += 0.0617) {
          const double rate = root * root / static_cast<double>(count);
          largest = std::max(largest, region.tail_at(rate, bound, drop));
        }
        EXPECT_GE(region.tail(bound, drop), 0.998 * largest) << count << " " << drop;
      }
    }
  }
}

// b of b + c flips with probability 1/2: P(at most 2 of 10) = (1 + 10 + 45) / 1024.
TEST(McnemarExact, IsTheTwoSidedBinomial) {
  EXPECT_NEAR(mcnemar_exact(counts_of(100, {8, 2})), 2 * 56.0 / 1024, 1e-12);
  EXPECT_NEAR(mcnemar_exact(counts_of(100, {2, 8})), 2 * 56.0 / 1024, 1e-12);
  EXPECT_EQ(mcnemar_exact(counts_of(100, {5, 5})), 1);
  EXPECT_EQ(mcnemar_exact(counts_of(100, {0, 0})), 1);
}

// Without any flip among 1000 images a rate p of loss alone is seen with probability (1 - p)^1000:
// 5 % at p = 0.29912 %.
TEST(DropBounds, FollowTheRuleOfThreeWithoutFlips) {
  const DropBounds bounds = drop_bounds(counts_of(1000, {0, 0}), 0.95);
  EXPECT_EQ(bounds.observed, 0);
  EXPECT_NEAR(bounds.high, 0.0029912, 2e-5);
  EXPECT_NEAR(bounds.low, -0.0029912, 2e-5);
}

TEST(DropBounds, AgreeWithTheTestsAndAreOdd) {
  for (const Flips flips : {Flips{7, 3}, Flips{0, 4}, Flips{60, 20}, Flips{298, 0}}) {
    const DropBounds bounds = drop_bounds(counts_of(298, flips), 0.9);
    EXPECT_LT(bounds.low, bounds.observed);
    EXPECT_LE(bounds.observed, bounds.high);
    EXPECT_LE(p_at_most(counts_of(298, flips), bounds.low - 2e-5), 0.1);
    EXPECT_GT(p_at_most(counts_of(298, flips), bounds.low + 2e-5), 0.1);
    const DropBounds other = drop_bounds(counts_of(298, {flips.second, flips.first}), 0.9);
    EXPECT_NEAR(other.high, -bounds.low, 1e-12);
    EXPECT_NEAR(other.low, -bounds.high, 1e-12);
  }
}

// ------------------------------------------------------------------- the gate on drawn flips

struct Rates {
  double first = 0;
  double second = 0;
};

struct Shares {
  double pass = 0;
  double fail = 0;
};

/// Verdicts for one number of images. A p-value is at most the level exactly where r is at least a
/// critical value, which is found once; so that thousands of draws take no time.
class Gate {
 public:
  Gate(int64_t count, GateRule rule)
      : count_(count),
        rule_(rule),
        region_(count),
        fails_from_(critical(rule.max_drop)),
        passes_from_(critical(-rule.max_drop)) {}

  Verdict operator()(Flips flips) const {
    if (region_.signed_root(flips, rule_.max_drop) >= fails_from_) return Verdict::kFail;
    const Flips swapped{flips.second, flips.first};
    if (region_.signed_root(swapped, -rule_.max_drop) >= passes_from_) return Verdict::kPass;
    return Verdict::kInconclusive;
  }

  Shares shares(Rates rates, int draws, uint32_t seed) const {
    std::mt19937 generator(seed);
    std::binomial_distribution<int64_t> first(count_, rates.first);
    Shares shares;
    for (int i = 0; i < draws; ++i) {
      const int64_t b = first(generator);
      std::binomial_distribution<int64_t> second(count_ - b, rates.second / (1 - rates.first));
      const Flips flips{b, second(generator)};
      const Verdict verdict = (*this)(flips);
      shares.pass += verdict == Verdict::kPass ? 1.0 / draws : 0;
      shares.fail += verdict == Verdict::kFail ? 1.0 / draws : 0;
      if (i < 5) {
        EXPECT_EQ(verdict, verdict_of(counts_of(count_, flips), rule_));
      }
    }
    return shares;
  }

 private:
  double critical(double drop) const {
    double low = 0;
    double high = 6;
    while (high - low > 1e-6) {
      const double middle = (low + high) / 2;
      (region_.tail(middle, drop) <= 1 - rule_.confidence ? high : low) = middle;
    }
    return high;
  }

  int64_t count_;
  GateRule rule_;
  FlipRegion region_;
  double fails_from_, passes_from_;
};

class GateOnDrawnFlips : public ::testing::TestWithParam<int64_t> {
 protected:
  static constexpr int kDraws = 4000;

  /// Four standard deviations over the level.
  static double at_most(double level) {
    return level + 4 * std::sqrt(level * (1 - level) / kDraws);
  }
};

// At the limit both verdicts are wrong; on its far side only one is, and rarer.
TEST_P(GateOnDrawnFlips, ErrsNoMoreOftenThanTheConfidenceAllows) {
  const int64_t count = GetParam();
  for (const GateRule rule : {GateRule{0.005, 0.95}, GateRule{0.02, 0.99}, GateRule{0, 0.9}}) {
    const Gate gate(count, rule);
    const double level = 1 - rule.confidence;
    uint32_t seed = 1;
    for (const double gained : {0.0, 0.001, 0.01, 0.05, 0.2}) {
      const Shares limit = gate.shares({gained + rule.max_drop, gained}, kDraws, seed++);
      EXPECT_LE(limit.fail, at_most(level)) << count << " images, gained " << gained;
      EXPECT_LE(limit.pass, at_most(level)) << count << " images, gained " << gained;
      const Shares beyond = gate.shares({gained + rule.max_drop + 0.01, gained}, kDraws, seed++);
      EXPECT_LE(beyond.pass, at_most(level)) << count << " images, gained " << gained;
    }
  }
}

// Where there are flips enough for the steps of the counts not to matter, the errors come close to
// what is allowed: little is wasted. And what is far from the limit is told. On 300 images the
// rates of flips at which those steps matter cost something at all others.
TEST_P(GateOnDrawnFlips, IsDecidedWhereTheNumbersAllowIt) {
  const int64_t count = GetParam();
  const GateRule rule{0.005, 0.95};
  const Gate gate(count, rule);
  const Shares limit = gate.shares({0.105, 0.1}, kDraws, 7);
  EXPECT_GE(limit.fail, count > 300 ? 0.035 : 0.01);
  EXPECT_GE(limit.pass, count > 300 ? 0.035 : 0.01);
  const double deviation = std::sqrt(0.2 / static_cast<double>(count));
  const double far = (count > 300 ? 3.7 : 4.7) * deviation;
  EXPECT_GE(gate.shares({0.105 + far, 0.1}, kDraws, 8).fail, 0.95);
  EXPECT_GE(gate.shares({0.1, 0.095 + far}, kDraws, 9).pass, 0.95);
}

INSTANTIATE_TEST_SUITE_P(Images, GateOnDrawnFlips, ::testing::Values(300, 5000, 50000));

}  // namespace
}  // namespace ptq::eval
