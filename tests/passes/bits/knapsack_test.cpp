// The knapsack against trying everything.
#include "passes/bits/knapsack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>

#include "ptq/base/error.h"

namespace ptq::passes {
namespace {

/// The least loss within the budgets.
std::optional<double> by_trying_all(const std::vector<KnapsackItem>& items,
                                    std::vector<int64_t> left, size_t at = 0, size_t mode = 0) {
  if (std::any_of(left.begin(), left.end(), [](int64_t each) { return each < 0; })) return {};
  if (at == items.size()) return 0;
  std::optional<double> best;
  for (size_t i = 0; i < items[at].options(mode).size(); ++i) {
    const KnapsackOption& option = items[at].options(mode)[i];
    std::vector<int64_t> rest = left;
    for (size_t j = 0; j < rest.size(); ++j) rest[j] -= option.costs[j];
    const auto behind = by_trying_all(items, rest, at + 1, items[at].decides ? i : mode);
    if (behind && (!best || option.loss + *behind < *best)) best = option.loss + *behind;
  }
  return best;
}

class RandomKnapsack {
 public:
  explicit RandomKnapsack(unsigned seed) : random_(seed) {}

  /// Losses fall about as costs rise, and now and then not.
  std::vector<KnapsackOption> options(size_t budgets) {
    const int64_t size = between(1, 40), count = between(1, 5);
    std::vector<KnapsackOption> options;
    for (int64_t width = 1; width <= count; ++width) {
      KnapsackOption option;
      option.loss = static_cast<double>(between(-20, 100)) / static_cast<double>(width);
      for (size_t i = 0; i < budgets; ++i) {
        option.costs.push_back(size * width + between(0, 3) * static_cast<int64_t>(i));
      }
      options.push_back(option);
    }
    return options;
  }

  std::vector<KnapsackItem> items(size_t count, size_t budgets) {
    std::vector<KnapsackItem> items;
    for (size_t i = 0; i < count; ++i) items.push_back({{options(budgets)}, false});
    return items;
  }

  /// The first and another one decide what there is behind them.
  std::vector<KnapsackItem> items_with_modes(size_t count, size_t budgets) {
    std::vector<KnapsackItem> items;
    size_t modes = 1;
    for (size_t i = 0; i < count; ++i) {
      KnapsackItem item{{}, i % 3 == 0};
      for (size_t mode = 0; mode < (item.decides ? 1 : modes); ++mode) {
        item.by_mode.push_back(options(budgets));
      }
      if (item.decides) modes = item.by_mode.front().size();
      items.push_back(item);
    }
    return items;
  }

  int64_t between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

 private:
  std::mt19937 random_;
};

void expect_optimum(const std::vector<KnapsackItem>& items, const std::vector<int64_t>& budgets) {
  const auto expected = by_trying_all(items, budgets);
  const auto found = solve_knapsack(items, budgets);
  ASSERT_EQ(found.has_value(), expected.has_value());
  if (!found) return;
  EXPECT_NEAR(found->loss, *expected, 1e-9);
  EXPECT_DOUBLE_EQ(found->bound, found->loss);
  std::vector<int64_t> costs(budgets.size(), 0);
  double loss = 0;
  size_t mode = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const KnapsackOption& option = items[i].options(mode).at(found->options.at(i));
    if (items[i].decides) mode = found->options[i];
    loss += option.loss;
    for (size_t j = 0; j < costs.size(); ++j) costs[j] += option.costs[j];
  }
  EXPECT_EQ(found->costs, costs);
  EXPECT_NEAR(found->loss, loss, 1e-9);
  for (size_t i = 0; i < budgets.size(); ++i) EXPECT_LE(costs[i], budgets[i]);
}

TEST(Knapsack, IsTheBestOfAllChoices) {
  int64_t solved = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    RandomKnapsack random(seed);
    const auto budgets = static_cast<size_t>(1 + seed % 3);
    const auto count = static_cast<size_t>(random.between(1, 7));
    const auto items =
        seed % 2 == 0 ? random.items(count, budgets) : random.items_with_modes(count, budgets);
    std::vector<int64_t> limits;
    for (size_t i = 0; i < budgets; ++i) limits.push_back(random.between(20, 500));
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_optimum(items, limits);
    solved += solve_knapsack(items, limits) ? 1 : 0;
  }
  EXPECT_GT(solved, 150);
  EXPECT_LT(solved, 300);
}

TEST(Knapsack, OfManyItemsIsProvedToBeTheBest) {
  RandomKnapsack random(7);
  const auto items = random.items(150, 2);
  int64_t least = 0;
  for (const KnapsackItem& item : items) least += item.options(0).front().costs[1];
  const auto found = solve_knapsack(items, {2 * least, 2 * least});
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->bound, found->loss);
}

TEST(Knapsack, SaysHowFarItMayBeFromTheBest) {
  RandomKnapsack random(9);
  const auto items = random.items(30, 2);
  int64_t least = 0;
  for (const KnapsackItem& item : items) least += item.options(0).front().costs[1];
  const std::vector<int64_t> budgets = {2 * least, 2 * least};
  const auto exact = solve_knapsack(items, budgets);
  const auto hurried = solve_knapsack(items, budgets, 1);
  ASSERT_TRUE(exact && hurried);
  EXPECT_LE(hurried->bound, exact->loss + 1e-9);
  EXPECT_GE(hurried->loss, exact->loss - 1e-9);
}

/// An item with one list of options.
KnapsackItem plain(std::vector<KnapsackOption> options) { return {{std::move(options)}, false}; }

TEST(Knapsack, KeepsNothingThatCostsTooMuch) {
  const std::vector<KnapsackItem> items = {plain({{0, {5}}}), plain({{0, {6}}, {1, {7}}})};
  EXPECT_FALSE(solve_knapsack(items, {10}));
  EXPECT_TRUE(solve_knapsack(items, {11}));
}

TEST(Knapsack, RefusesItemsThatAreNone) {
  EXPECT_THROW(solve_knapsack({plain({})}, {1}), InternalError);
  EXPECT_THROW(solve_knapsack({plain({{0, {1, 2}}})}, {1}), InternalError);
  EXPECT_THROW(solve_knapsack({{{{{0, {1}}}, {{0, {1}}}}, false}}, {1}), InternalError);
}

}  // namespace
}  // namespace ptq::passes
