#include "passes/bits/knapsack.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "passes/bits/knapsack_prices.h"
#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

void check(const KnapsackItems& items, size_t budgets) {
  size_t modes = 1;
  for (const KnapsackItem& item : items) {
    const bool is_whole = item.by_mode.size() == 1 || item.by_mode.size() == modes;
    if (!is_whole) throw InternalError("an item of a knapsack lacks a mode");
    for (const auto& options : item.by_mode) {
      if (options.empty()) throw InternalError("an item of a knapsack has no options");
      for (const KnapsackOption& option : options) {
        if (option.costs.size() != budgets) throw InternalError("a knapsack lacks costs");
      }
    }
    if (item.decides) modes = item.options(0).size();
  }
}

/// Options of the items so far.
struct Partial {
  double loss = 0;
  KnapsackCosts costs;
  size_t mode = 0;
  size_t parent = 0;
  size_t option = 0;
  double bound = 0;
};

class Search {
 public:
  Search(const KnapsackItems& items, const KnapsackCosts& budgets, size_t most_partial)
      : items_(items),
        budgets_(budgets),
        most_partial_(most_partial),
        prices_(good_prices(items, budgets)),
        rest_(items, prices_),
        best_(some_solution(items, prices_, budgets)) {
    for (size_t i = 0; i < budgets.size(); ++i) {
      KnapsackPrices one(budgets.size(), 0);
      one[i] = 1;
      least_costs_.emplace_back(items, one, RestOfItems::Losses::kNone);
    }
  }

  std::optional<KnapsackSolution> run() {
    std::vector<Partial> now = {{0, KnapsackCosts(budgets_.size(), 0), 0, 0, 0, 0}};
    for (size_t item = 0; item < items_.size(); ++item) {
      now = pruned(extended(now, item));
      levels_.emplace_back();
      for (const Partial& each : now) levels_.back().push_back({each.parent, each.option});
    }
    const auto least = std::min_element(
        now.begin(), now.end(), [](const Partial& a, const Partial& b) { return a.loss < b.loss; });
    if (least != now.end() && (!best_ || least->loss < best_->loss)) {
      best_ = traced(static_cast<size_t>(least - now.begin()));
    }
    if (best_) best_->bound = std::min(best_->loss, dropped_);
    return best_;
  }

 private:
  struct Step {
    size_t parent, option;
  };

  std::vector<Partial> extended(const std::vector<Partial>& now, size_t item) const {
    std::vector<Partial> next;
    for (size_t parent = 0; parent < now.size(); ++parent) {
      const auto& options = items_[item].options(now[parent].mode);
      for (size_t i = 0; i < options.size(); ++i) {
        Partial made{now[parent].loss + options[i].loss,
                     costs_together(now[parent].costs, options[i].costs),
                     items_[item].decides ? i : now[parent].mode,
                     parent,
                     i,
                     0};
        made.bound = made.loss + rest_.least(item + 1, made.mode) + priced(made.costs, prices_) -
                     priced(budgets_, prices_);
        if (can_fit(made, item + 1) && !is_hopeless(made.bound)) next.push_back(std::move(made));
      }
    }
    return next;
  }

  bool can_fit(const Partial& partial, size_t done) const {
    for (size_t i = 0; i < budgets_.size(); ++i) {
      const auto left = static_cast<double>(budgets_[i] - partial.costs[i]);
      if (least_costs_[i].least(done, partial.mode) > left) return false;
    }
    return true;
  }

  /// Not by rounding.
  bool is_hopeless(double bound) const {
    return best_ && bound > best_->loss + 1e-9 * std::abs(best_->loss);
  }

  std::vector<Partial> pruned(std::vector<Partial> all) {
    std::sort(all.begin(), all.end(), [](const Partial& a, const Partial& b) {
      return a.loss != b.loss ? a.loss < b.loss : a.costs < b.costs;
    });
    std::vector<Partial> kept;
    for (Partial& each : all) {
      if (!is_beaten(each, kept)) kept.push_back(std::move(each));
    }
    limit(kept);
    return kept;
  }

  /// By one of the last kept, none of which loses more: looking at all would cost more than it
  /// saves.
  bool is_beaten(const Partial& partial, const std::vector<Partial>& kept) const {
    constexpr std::ptrdiff_t kLooked = 64;
    const auto size = static_cast<std::ptrdiff_t>(kept.size());
    return std::any_of(kept.begin() + std::max<std::ptrdiff_t>(0, size - kLooked), kept.end(),
                       [&](const Partial& other) {
                         return other.mode == partial.mode && costs_fit(other.costs, partial.costs);
                       });
  }

  void limit(std::vector<Partial>& partial) {
    if (partial.size() <= most_partial_) return;
    const auto end = partial.begin() + static_cast<std::ptrdiff_t>(most_partial_);
    std::nth_element(partial.begin(), end, partial.end(),
                     [](const Partial& a, const Partial& b) { return a.bound < b.bound; });
    dropped_ = std::min(dropped_, end->bound);
    partial.erase(end, partial.end());
  }

  KnapsackSolution traced(size_t at) const {
    std::vector<size_t> options(items_.size());
    for (size_t item = items_.size(); item-- > 0;) {
      options[item] = levels_[item][at].option;
      at = levels_[item][at].parent;
    }
    return solution_of(items_, std::move(options), budgets_.size());
  }

  const KnapsackItems& items_;
  const KnapsackCosts& budgets_;
  const size_t most_partial_;
  const KnapsackPrices prices_;
  const RestOfItems rest_;
  /// By budget.
  std::vector<RestOfItems> least_costs_;
  std::optional<KnapsackSolution> best_;
  std::vector<std::vector<Step>> levels_;
  /// The least bound of what `limit` took away.
  double dropped_ = std::numeric_limits<double>::infinity();
};

}  // namespace

std::optional<KnapsackSolution> solve_knapsack(const std::vector<KnapsackItem>& items,
                                               const std::vector<int64_t>& budgets,
                                               size_t most_partial) {
  check(items, budgets.size());
  return Search(items, budgets, most_partial).run();
}

}  // namespace ptq::passes
