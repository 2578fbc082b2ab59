#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "passes/bits/bit_groups.h"
#include "passes/bits/knapsack.h"
#include "ptq/bits.h"
#include "workflow/bits/candidates.h"

namespace ptq::workflow {

/// Bits by group of BitCandidates; those that are not chosen have what the configuration says.
using Widths = std::vector<int>;
/// By group: the loss of each width that may be taken.
using WidthLosses = std::vector<std::map<int, double>>;

/// What widths cost, and the best ones within budgets.
class BitBudgets {
 public:
  /// Refers to `candidates`. Throws InvalidOption for a budget below what the narrowest candidates
  /// cost, and one of bit operations where nothing multiplies.
  BitBudgets(const BitCandidates& candidates, const BitBudget& budget);

  /// The groups whose widths are chosen: all weights, and with a budget of bit operations the
  /// activations that layers read.
  const std::vector<size_t>& groups() const { return groups_; }
  const Widths& configured() const { return configured_; }

  BitCosts costs(const Widths& widths) const;
  bool keeps(const Widths& widths) const;

  /// The widths with the least sum of losses; none where none are within the budgets.
  std::optional<Widths> solve(const WidthLosses& losses) const;

  /// As --layer-bits has it.
  std::vector<LayerOverride> layer_bits(const Widths& widths) const;

 private:
  /// A layer, and its groups; none where its width is fixed.
  struct Layer {
    passes::LayerCost cost;
    std::optional<size_t> weight, activation;
    int fixed_weight_bits = 0, fixed_input_bits = 0;
    /// Of the weight; as wide as its codes.
    int64_t zero_points = 0;
    /// Whether an earlier layer has the same weight.
    bool is_copy = false;
  };
  /// What the options of the items of a knapsack stand for: widths of groups.
  struct Meaning {
    std::vector<size_t> groups;
    std::vector<int> widths;
  };
  struct Items {
    std::vector<passes::KnapsackItem> items;
    std::vector<Meaning> meanings;
  };
  using Costs = std::vector<int64_t>;

  static void add(Costs& sum, const Costs& costs);
  std::optional<size_t> group_of(ir::QuantizerId id) const;
  static int64_t bytes_of(const Layer& layer, int weight_bits);
  void note_layers();
  void note_choices();
  void choose_groups();
  void check() const;
  /// One a budget, and what a network of these widths costs of it.
  Costs limits() const;
  Costs sums(const Widths& widths) const;
  /// What one layer adds to each budget.
  Costs costs_of(const Layer& layer, int weight_bits, int input_bits) const;
  /// What no choice changes.
  Costs fixed_costs() const;

  Items items(const WidthLosses& losses) const;
  void add_activations(const std::vector<size_t>& members, const std::vector<size_t>& weights,
                       const WidthLosses& losses, Items& items) const;
  std::vector<passes::KnapsackOption> weight_options(size_t group, const WidthLosses& losses,
                                                     std::optional<int> input_bits) const;
  passes::KnapsackOption activation_option(const std::vector<size_t>& members, int bits,
                                           const WidthLosses& losses) const;

  const BitCandidates& candidates_;
  const BitBudget budget_;
  std::vector<Layer> layers_;
  std::vector<size_t> groups_;
  Widths configured_;
  /// Activations that one layer reads are one choice: by activation group, the first one of its
  /// choice.
  std::map<size_t, size_t> choice_of_;
  int64_t fixed_bytes_ = 0;
  int64_t all_weights_ = 0, all_products_ = 0;
};

}  // namespace ptq::workflow
