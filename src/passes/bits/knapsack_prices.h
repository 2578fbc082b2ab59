#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "passes/bits/knapsack.h"

/// The Lagrangian relaxation of the knapsack: costs have prices, and budgets no limits.
namespace ptq::passes {

using KnapsackItems = std::vector<KnapsackItem>;
using KnapsackCosts = std::vector<int64_t>;
/// What a unit of cost counts in loss, by budget; at least 0.
using KnapsackPrices = std::vector<double>;

double priced(const KnapsackCosts& costs, const KnapsackPrices& prices);
KnapsackCosts costs_together(KnapsackCosts a, const KnapsackCosts& b);
bool costs_fit(const KnapsackCosts& costs, const KnapsackCosts& budgets);

/// What loss and price of the last items are at least, together.
class RestOfItems {
 public:
  enum class Losses { kAll, kNone };
  RestOfItems(const KnapsackItems& items, const KnapsackPrices& prices,
              Losses losses = Losses::kAll);

  /// Of the items from `first` on, in this mode.
  double least(size_t first, size_t mode) const {
    return least_[first].size() == 1 ? least_[first].front() : least_[first].at(mode);
  }

  /// The options that together are least.
  std::vector<size_t> options() const;

 private:
  double value(const KnapsackOption& option) const;
  /// Of this option and the best behind it.
  double with_rest(size_t item, size_t mode, size_t option) const;

  const KnapsackItems& items_;
  const KnapsackPrices prices_;
  const Losses losses_;
  /// By item and mode; one number where the mode does not matter.
  std::vector<std::vector<double>> least_;
};

KnapsackSolution solution_of(const KnapsackItems& items, std::vector<size_t> options,
                             size_t budgets);

/// Any prices give a valid bound, these a good one: one after the other the lowest at which the
/// cheapest choice keeps that budget, a few rounds.
KnapsackPrices good_prices(const KnapsackItems& items, const KnapsackCosts& budgets);

/// A good choice within the budgets; not always found.
std::optional<KnapsackSolution> some_solution(const KnapsackItems& items, KnapsackPrices prices,
                                              const KnapsackCosts& budgets);

}  // namespace ptq::passes
