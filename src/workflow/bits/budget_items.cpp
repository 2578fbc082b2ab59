#include <algorithm>
#include <utility>

#include "workflow/bits/budgets.h"

// Widths as items of a knapsack. What a layer costs in bit operations is a product of two widths:
// so a choice of activations decides which costs the options of the weights behind it have.
namespace ptq::workflow {
namespace {

using quant::QuantizerKind;

std::vector<int> widths_of(const std::map<int, double>& losses) {
  std::vector<int> widths;
  for (const auto& [bits, loss] : losses) widths.push_back(bits);
  return widths;
}

/// Widths that all these groups may take.
std::vector<int> common_widths(const std::vector<size_t>& groups, const WidthLosses& losses) {
  std::vector<int> widths = widths_of(losses[groups.front()]);
  const auto is_impossible = [&](int bits) {
    return std::any_of(groups.begin(), groups.end(),
                       [&](size_t group) { return losses[group].count(bits) == 0; });
  };
  widths.erase(std::remove_if(widths.begin(), widths.end(), is_impossible), widths.end());
  return widths;
}

}  // namespace

std::vector<passes::KnapsackOption> BitBudgets::weight_options(
    size_t group, const WidthLosses& losses, std::optional<int> input_bits) const {
  std::vector<passes::KnapsackOption> options;
  for (const auto& [bits, loss] : losses[group]) {
    passes::KnapsackOption option{loss, Costs(limits().size(), 0)};
    for (const Layer& layer : layers_) {
      if (layer.weight != group) continue;
      const int input = layer.activation ? input_bits.value() : layer.fixed_input_bits;
      add(option.costs, costs_of(layer, bits, input));
    }
    options.push_back(std::move(option));
  }
  return options;
}

/// With the layers that read them whose own width is fixed.
passes::KnapsackOption BitBudgets::activation_option(const std::vector<size_t>& members, int bits,
                                                     const WidthLosses& losses) const {
  passes::KnapsackOption option{0, Costs(limits().size(), 0)};
  for (const size_t group : members) option.loss += losses[group].at(bits);
  for (const Layer& layer : layers_) {
    const bool reads =
        layer.activation && choice_of_.at(*layer.activation) == choice_of_.at(members.front());
    if (reads && !layer.weight) {
      add(option.costs, costs_of(layer, layer.fixed_weight_bits, bits));
    }
  }
  return option;
}

void BitBudgets::add_activations(const std::vector<size_t>& members,
                                 const std::vector<size_t>& weights, const WidthLosses& losses,
                                 Items& all) const {
  const std::vector<int> widths = common_widths(members, losses);
  passes::KnapsackItem deciding{{{}}, true};
  for (const int bits : widths) {
    deciding.by_mode.front().push_back(activation_option(members, bits, losses));
  }
  all.items.push_back(std::move(deciding));
  all.meanings.push_back({members, widths});
  for (const size_t group : weights) {
    passes::KnapsackItem item;
    for (const int bits : widths) item.by_mode.push_back(weight_options(group, losses, bits));
    all.items.push_back(std::move(item));
    all.meanings.push_back({{group}, widths_of(losses[group])});
  }
}

BitBudgets::Items BitBudgets::items(const WidthLosses& losses) const {
  std::map<size_t, std::vector<size_t>> activations, weights;
  for (const auto& [group, choice] : choice_of_) activations[choice].push_back(group);
  Items all;
  for (const size_t group : groups_) {
    if (candidates_.groups[group].group.kind != QuantizerKind::kWeight) continue;
    const auto reader = std::find_if(layers_.begin(), layers_.end(), [&](const Layer& layer) {
      return layer.weight == group && layer.activation;
    });
    if (reader != layers_.end()) {
      weights[choice_of_.at(*reader->activation)].push_back(group);
      continue;
    }
    all.items.push_back({{weight_options(group, losses, {})}, false});
    all.meanings.push_back({{group}, widths_of(losses[group])});
  }
  for (const auto& [choice, members] : activations) {
    add_activations(members, weights[choice], losses, all);
  }
  return all;
}

BitBudgets::Costs BitBudgets::fixed_costs() const {
  Costs fixed(limits().size(), 0);
  for (const Layer& layer : layers_) {
    if (layer.weight || layer.activation) continue;
    add(fixed, costs_of(layer, layer.fixed_weight_bits, layer.fixed_input_bits));
  }
  if (budget_.bytes) fixed[budget_.mean_weight_bits ? 1 : 0] += fixed_bytes_;
  return fixed;
}

std::optional<Widths> BitBudgets::solve(const WidthLosses& losses) const {
  const Items all = items(losses);
  for (const Meaning& meaning : all.meanings) {
    if (meaning.widths.empty()) return std::nullopt;
  }
  Costs left = limits();
  const Costs fixed = fixed_costs();
  for (size_t i = 0; i < left.size(); ++i) left[i] -= fixed[i];
  const auto solution = passes::solve_knapsack(all.items, left);
  if (!solution) return std::nullopt;
  Widths widths = configured_;
  for (size_t i = 0; i < all.items.size(); ++i) {
    for (const size_t group : all.meanings[i].groups) {
      widths[group] = all.meanings[i].widths[solution->options[i]];
    }
  }
  return widths;
}

}  // namespace ptq::workflow
