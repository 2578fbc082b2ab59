#include "workflow/bits/budgets.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/text.h"
#include "export/truth.h"
#include "ptq/base/invalid_option.h"

namespace ptq::workflow {
namespace {

using quant::QuantizerKind;
constexpr int kFloatBits = 32;

int64_t packed_bytes(int64_t elements, int bits) { return (elements * bits + 7) / 8; }

bool has_fixed_scales(const quant::QuantizerTable& table) {
  return std::all_of(
      table.quantizers.begin(), table.quantizers.end(),
      [](const quant::Quantizer& quantizer) { return quantizer.timing == quant::Timing::kStatic; });
}

/// "^layer1\.0\.conv1$"
std::string exactly(const std::string& name) {
  constexpr const char* kSpecial = R"(\^$.|?*+()[]{})";
  std::string pattern = "^";
  for (const char c : name) {
    if (std::string(kSpecial).find(c) != std::string::npos) pattern += '\\';
    pattern += c;
  }
  return pattern + "$";
}

}  // namespace

BitBudgets::BitBudgets(const BitCandidates& candidates, const BitBudget& budget)
    : candidates_(candidates), budget_(budget) {
  for (const CandidateGroup& group : candidates.groups) {
    const ir::QuantizerId id = group.group.quantizers.front();
    configured_.push_back(quant::bit_width(candidates.network.table.at(id).format));
  }
  note_layers();
  note_choices();
  choose_groups();
  check();
}

void BitBudgets::add(Costs& sum, const Costs& costs) {
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += costs[i];
}

std::optional<size_t> BitBudgets::group_of(ir::QuantizerId id) const {
  for (size_t i = 0; i < candidates_.groups.size(); ++i) {
    const std::vector<ir::QuantizerId>& members = candidates_.groups[i].group.quantizers;
    if (std::binary_search(members.begin(), members.end(), id)) return i;
  }
  return std::nullopt;
}

void BitBudgets::note_layers() {
  const quant::QuantizerTable& table = candidates_.network.table;
  std::set<const void*> seen;
  if (budget_.bytes) {
    if (!has_fixed_scales(table)) {
      throw InvalidOption("budget.bytes", "needs scales that are fixed by calibration");
    }
    fixed_bytes_ = exporting::truth_of(candidates_.network).packed_bytes;
  }
  for (passes::LayerCost& cost : passes::layer_costs(candidates_.network.graph)) {
    Layer layer{std::move(cost), {}, {}, 0, kFloatBits, 0, false};
    const at::Tensor& zero_point = table.at(layer.cost.weight_quantizer).zero_point;
    layer.zero_points = zero_point.defined() ? zero_point.numel() : 0;
    layer.is_copy = !seen.insert(layer.cost.weight.unsafeGetTensorImpl()).second;
    layer.weight = group_of(layer.cost.weight_quantizer);
    layer.fixed_weight_bits = quant::bit_width(table.at(layer.cost.weight_quantizer).format);
    for (const ir::QuantizerId id : layer.cost.inputs) {
      layer.activation = layer.activation ? layer.activation : group_of(id);
      layer.fixed_input_bits = quant::bit_width(table.at(id).format);
    }
    if (!layer.is_copy) {
      all_weights_ += layer.cost.weight.numel();
      if (budget_.bytes) fixed_bytes_ -= bytes_of(layer, layer.fixed_weight_bits);
    }
    all_products_ += layer.cost.products;
    layers_.push_back(std::move(layer));
  }
}

void BitBudgets::note_choices() {
  const auto unite = [&](size_t a, size_t b) {
    const size_t from = choice_of_.at(a), to = choice_of_.at(b);
    for (auto& [group, choice] : choice_of_) {
      if (choice == from) choice = to;
    }
  };
  std::map<size_t, size_t> by_weight;
  for (const Layer& layer : layers_) {
    for (const ir::QuantizerId id : layer.cost.inputs) {
      const auto group = group_of(id);
      if (!group) continue;
      choice_of_.emplace(*group, *group);
      unite(*layer.activation, *group);
      if (layer.weight) unite(by_weight.emplace(*layer.weight, *group).first->second, *group);
    }
  }
}

void BitBudgets::choose_groups() {
  if (!budget_.bit_operations) choice_of_.clear();
  if (budget_.bit_operations && all_products_ == 0) {
    throw InvalidOption("budget.bit_operations", "no layer multiplies with quantized weights");
  }
  for (size_t i = 0; i < candidates_.groups.size(); ++i) {
    const bool is_weight = candidates_.groups[i].group.kind == QuantizerKind::kWeight;
    if (is_weight || choice_of_.count(i) != 0) groups_.push_back(i);
  }
  for (Layer& layer : layers_) {
    if (layer.activation && choice_of_.count(*layer.activation) == 0) layer.activation.reset();
  }
}

int64_t BitBudgets::bytes_of(const Layer& layer, int weight_bits) {
  return packed_bytes(layer.cost.weight.numel(), weight_bits) +
         packed_bytes(layer.zero_points, weight_bits);
}

BitBudgets::Costs BitBudgets::limits() const {
  Costs limits;
  if (const auto bits = budget_.mean_weight_bits) {
    limits.push_back(static_cast<int64_t>(std::floor(*bits * static_cast<double>(all_weights_))));
  }
  if (budget_.bytes) limits.push_back(*budget_.bytes);
  if (const auto share = budget_.bit_operations) {
    limits.push_back(
        static_cast<int64_t>(std::floor(*share * 64 * static_cast<double>(all_products_))));
  }
  return limits;
}

BitBudgets::Costs BitBudgets::costs_of(const Layer& layer, int weight_bits, int input_bits) const {
  Costs costs;
  const int64_t weights = layer.is_copy ? 0 : layer.cost.weight.numel();
  if (budget_.mean_weight_bits) costs.push_back(weights * weight_bits);
  if (budget_.bytes) costs.push_back(layer.is_copy ? 0 : bytes_of(layer, weight_bits));
  if (budget_.bit_operations) {
    costs.push_back(layer.cost.products * weight_bits * input_bits);
  }
  return costs;
}

BitBudgets::Costs BitBudgets::sums(const Widths& widths) const {
  Costs sum(limits().size(), 0);
  for (const Layer& layer : layers_) {
    add(sum, costs_of(layer, layer.weight ? widths[*layer.weight] : layer.fixed_weight_bits,
                      layer.activation ? widths[*layer.activation] : layer.fixed_input_bits));
  }
  if (budget_.bytes) sum[budget_.mean_weight_bits ? 1 : 0] += fixed_bytes_;
  return sum;
}

BitCosts BitBudgets::costs(const Widths& widths) const {
  double bits = 0, operations = 0;
  BitCosts made;
  if (budget_.bytes) made.bytes = fixed_bytes_;
  for (const Layer& layer : layers_) {
    const int weight = layer.weight ? widths[*layer.weight] : layer.fixed_weight_bits;
    const int input = layer.activation ? widths[*layer.activation] : layer.fixed_input_bits;
    operations += static_cast<double>(layer.cost.products) * weight * input;
    if (layer.is_copy) continue;
    bits += static_cast<double>(layer.cost.weight.numel()) * weight;
    if (made.bytes) *made.bytes += bytes_of(layer, weight);
  }
  made.mean_weight_bits = bits / static_cast<double>(std::max<int64_t>(all_weights_, 1));
  made.bit_operations =
      operations / (64 * static_cast<double>(std::max<int64_t>(all_products_, 1)));
  return made;
}

bool BitBudgets::keeps(const Widths& widths) const {
  const Costs sum = sums(widths), limit = limits();
  return std::equal(sum.begin(), sum.end(), limit.begin(),
                    [](int64_t cost, int64_t most) { return cost <= most; });
}

void BitBudgets::check() const {
  Widths least = configured_;
  for (const size_t group : groups_) least[group] = candidates_.groups[group].bits.front();
  const BitCosts costs = this->costs(least);
  if (budget_.mean_weight_bits && costs.mean_weight_bits > *budget_.mean_weight_bits) {
    throw InvalidOption("budget.mean_weight_bits", "the narrowest candidates have a mean of " +
                                                       significant(costs.mean_weight_bits) +
                                                       " bits a weight");
  }
  if (budget_.bytes && *costs.bytes > *budget_.bytes) {
    throw InvalidOption("budget.bytes", "with the narrowest candidates the network has " +
                                            std::to_string(*costs.bytes) + " bytes");
  }
  if (budget_.bit_operations && costs.bit_operations > *budget_.bit_operations) {
    throw InvalidOption("budget.bit_operations",
                        "with the narrowest candidates it is " + significant(costs.bit_operations));
  }
}

std::vector<LayerOverride> BitBudgets::layer_bits(const Widths& widths) const {
  std::vector<LayerOverride> all;
  for (const Layer& layer : layers_) {
    if (!layer.weight && !layer.activation) continue;
    LayerOverride bits{exactly(layer.cost.layer), {}, {}};
    if (layer.weight) bits.weight_bit_width = widths[*layer.weight];
    if (layer.activation) bits.act_bit_width = widths[*layer.activation];
    all.push_back(std::move(bits));
  }
  return all;
}

}  // namespace ptq::workflow
