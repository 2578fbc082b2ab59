#include "passes/bits/knapsack_prices.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ptq::passes {
namespace {

KnapsackSolution at_prices(const KnapsackItems& items, const KnapsackPrices& prices) {
  return solution_of(items, RestOfItems(items, prices).options(), prices.size());
}

/// Takes better options while they fit; the mode stays.
KnapsackSolution improved(const KnapsackItems& items, KnapsackSolution now,
                          const KnapsackCosts& budgets) {
  for (bool is_better = true; is_better;) {
    is_better = false;
    size_t mode = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      if (items[i].decides) {
        mode = now.options[i];
        continue;
      }
      const auto& options = items[i].options(mode);
      for (size_t option = 0; option < options.size(); ++option) {
        if (options[option].loss >= options[now.options[i]].loss) continue;
        std::vector<size_t> changed = now.options;
        changed[i] = option;
        KnapsackSolution other = solution_of(items, std::move(changed), budgets.size());
        if (!costs_fit(other.costs, budgets)) continue;
        now = std::move(other);
        is_better = true;
      }
    }
  }
  return now;
}

}  // namespace

double priced(const KnapsackCosts& costs, const KnapsackPrices& prices) {
  double sum = 0;
  for (size_t i = 0; i < prices.size(); ++i) sum += prices[i] * static_cast<double>(costs[i]);
  return sum;
}

KnapsackCosts costs_together(KnapsackCosts a, const KnapsackCosts& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

bool costs_fit(const KnapsackCosts& costs, const KnapsackCosts& budgets) {
  return std::equal(costs.begin(), costs.end(), budgets.begin(),
                    [](int64_t cost, int64_t budget) { return cost <= budget; });
}

RestOfItems::RestOfItems(const KnapsackItems& items, const KnapsackPrices& prices, Losses losses)
    : items_(items), prices_(prices), losses_(losses), least_(items.size() + 1) {
  std::vector<size_t> modes(items.size() + 1, 1);
  for (size_t i = 0; i < items.size(); ++i) {
    modes[i + 1] = items[i].decides ? items[i].options(0).size() : modes[i];
  }
  least_.back().assign(modes.back(), 0);
  for (size_t i = items.size(); i-- > 0;) {
    for (size_t mode = 0; mode < modes[i]; ++mode) {
      double least = std::numeric_limits<double>::infinity();
      for (size_t option = 0; option < items[i].options(mode).size(); ++option) {
        least = std::min(least, with_rest(i, mode, option));
      }
      least_[i].push_back(least);
    }
  }
}

double RestOfItems::value(const KnapsackOption& option) const {
  return (losses_ == Losses::kAll ? option.loss : 0) + priced(option.costs, prices_);
}

double RestOfItems::with_rest(size_t item, size_t mode, size_t option) const {
  return value(items_[item].options(mode)[option]) +
         least(item + 1, items_[item].decides ? option : mode);
}

std::vector<size_t> RestOfItems::options() const {
  std::vector<size_t> taken;
  size_t mode = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    size_t best = 0;
    for (size_t option = 1; option < items_[i].options(mode).size(); ++option) {
      if (with_rest(i, mode, option) < with_rest(i, mode, best)) best = option;
    }
    taken.push_back(best);
    if (items_[i].decides) mode = best;
  }
  return taken;
}

KnapsackSolution solution_of(const KnapsackItems& items, std::vector<size_t> options,
                             size_t budgets) {
  KnapsackSolution made{std::move(options), 0, KnapsackCosts(budgets, 0), 0};
  size_t mode = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const KnapsackOption& option = items[i].options(mode)[made.options[i]];
    if (items[i].decides) mode = made.options[i];
    made.loss += option.loss;
    made.costs = costs_together(made.costs, option.costs);
  }
  made.bound = made.loss;
  return made;
}

KnapsackPrices good_prices(const KnapsackItems& items, const KnapsackCosts& budgets) {
  constexpr int kRounds = 6, kSteps = 60;
  KnapsackPrices prices(budgets.size(), 0);
  for (int round = 0; round < (budgets.size() > 1 ? kRounds : 1); ++round) {
    for (size_t budget = 0; budget < budgets.size(); ++budget) {
      const auto keeps = [&](double price) {
        prices[budget] = price;
        return at_prices(items, prices).costs[budget] <= budgets[budget];
      };
      if (keeps(0)) continue;
      double low = 0, high = 1e-12;
      while (!keeps(high) && high < 1e30) low = high, high *= 8;
      for (int step = 0; step < kSteps; ++step) {
        const double middle = 0.5 * (low + high);
        (keeps(middle) ? high : low) = middle;
      }
      prices[budget] = high;
    }
  }
  return prices;
}

std::optional<KnapsackSolution> some_solution(const KnapsackItems& items, KnapsackPrices prices,
                                              const KnapsackCosts& budgets) {
  constexpr int kSteps = 100;
  for (double& price : prices) price = std::max(price, 1e-12);
  for (int step = 0; step < kSteps; ++step) {
    KnapsackSolution found = at_prices(items, prices);
    if (costs_fit(found.costs, budgets)) return improved(items, std::move(found), budgets);
    for (size_t i = 0; i < prices.size(); ++i) {
      if (found.costs[i] > budgets[i]) prices[i] *= 2;
    }
  }
  return std::nullopt;
}

}  // namespace ptq::passes
