#pragma once

#include <cstdint>
#include <optional>
#include <vector>

/// The multiple-choice knapsack: one option of each item, least loss, within all budgets.
namespace ptq::passes {

struct KnapsackOption {
  double loss = 0;
  /// One a budget, at least 0.
  std::vector<int64_t> costs;
};

/// One option of these is taken. What options there are may depend on an item before: where that
/// one `decides`, the number of its option is the mode of the items behind it, up to the next one
/// that decides.
struct KnapsackItem {
  /// By mode; one list for all modes where the mode does not matter.
  std::vector<std::vector<KnapsackOption>> by_mode;
  bool decides = false;

  const std::vector<KnapsackOption>& options(size_t mode) const {
    return by_mode.size() == 1 ? by_mode.front() : by_mode.at(mode);
  }
};

struct KnapsackSolution {
  /// By item: the option taken.
  std::vector<size_t> options;
  double loss = 0;
  /// Sums, one a budget.
  std::vector<int64_t> costs;
  /// No other choice within the budgets has less loss than this; `loss` itself where the solution
  /// is proved to be the best.
  double bound = 0;
};

/// Exact, with any number of budgets: items are added one after the other to a list of partial
/// choices, from which those are dropped that another one beats in loss and all costs, and those
/// whose bound lies above a choice that is known. The bound is that of the Lagrangian relaxation:
/// with prices p >= 0 on costs, the remaining items lose at least
///
///   sum of min over options (loss + p cost)  -  p (budget - costs so far),
///
/// with the least over modes where an item decides. Should more than `most_partial` partial choices
/// remain, those with the least bound go on, and the solution's `bound` says how far it may be from
/// the best. Losses are finite and may be negative. None where no choice stays within the budgets.
/// Throws InternalError for an item without options, or with another number of costs than of
/// budgets.
std::optional<KnapsackSolution> solve_knapsack(const std::vector<KnapsackItem>& items,
                                               const std::vector<int64_t>& budgets,
                                               size_t most_partial = 200000);

}  // namespace ptq::passes
