#include "golden/chance.h"

#include <cmath>
#include <cstdlib>

namespace ptq::golden {
namespace {

double log_binomial(int n, int k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
}

double poisson(int count, double mean) {
  if (mean == 0) return count == 0 ? 1 : 0;
  return std::exp(count * std::log(mean) - mean - std::lgamma(count + 1.0));
}

}  // namespace

double expected_discordant(const std::vector<double>& margins, const std::vector<double>& moves) {
  double pairs = 0;
  for (const double margin : margins) {
    for (const double move : moves) pairs += std::abs(move) > std::abs(margin) ? 1 : 0;
  }
  return pairs / 2 / static_cast<double>(moves.size());
}

double chance_of_coins(int difference, int coins) {
  double chance = 0;
  for (int heads = 0; heads <= coins; ++heads) {
    if (std::abs(2 * heads - coins) < std::abs(difference)) continue;
    chance += std::exp(log_binomial(coins, heads) - coins * std::log(2.0));
  }
  return chance;
}

double chance_of_difference(int difference, double discordant) {
  // Beyond twelve standard deviations nothing is left of the Poisson distribution.
  const int most = static_cast<int>(discordant + 12 * std::sqrt(discordant) + 40);
  double chance = 0;
  for (int coins = std::abs(difference); coins <= most; ++coins) {
    chance += poisson(coins, discordant) * chance_of_coins(difference, coins);
  }
  return chance;
}

}  // namespace ptq::golden
