#include "workflow/bits/search.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/text.h"
#include "ptq/base/invalid_option.h"
#include "workflow/bits/sensitivity.h"

namespace ptq {
namespace workflow {
namespace {

/// What stands for a divergence that is not finite: worse than any.
constexpr double kBroken = 1e6;

double finite(double divergence) { return std::isfinite(divergence) ? divergence : kBroken; }

class BitSearch {
 public:
  BitSearch(const BitCandidates& candidates, const LossMeter& meter,
            const BitSearchOptions& options)
      : candidates_(candidates),
        meter_(meter),
        options_(options),
        budgets_(candidates, options.budget) {}

  BitAssignment run(const Sensitivity& sensitivity) {
    start(sensitivity);
    for (int round = 0; round < options_.rounds; ++round) {
      if (!improve()) break;
    }
    made_.layer_bits = budgets_.layer_bits(best_);
    made_.costs = budgets_.costs(best_);
    return std::move(made_);
  }

 private:
  static WidthLosses additive(const BitCandidates& candidates, const Sensitivity& sensitivity) {
    WidthLosses losses(candidates.groups.size());
    const std::vector<SensitivityPoint> points = points_of(candidates);
    for (size_t i = 0; i < points.size(); ++i) {
      losses[points[i].group][points[i].bits] = finite(sensitivity.rows[i].divergence);
    }
    return losses;
  }

  /// The best sum of sensitivities, or a uniform width if that loses less.
  void start(const Sensitivity& sensitivity) {
    const auto found = budgets_.solve(additive(candidates_, sensitivity));
    if (!found) {
      throw InvalidOption("candidate_bits", "no choice of them keeps all budgets at once");
    }
    best_ = *found;
    made_.divergence = measured(best_);
    made_.steps.push_back(made_.divergence);
    const auto uniform = widest_uniform();
    if (!uniform) return;
    made_.uniform_divergence = *uniform == best_ ? made_.divergence : measured(*uniform);
    if (*made_.uniform_divergence < made_.divergence) {
      best_ = *uniform;
      made_.divergence = *made_.uniform_divergence;
      made_.steps.push_back(made_.divergence);
    }
  }

  std::optional<Widths> widest_uniform() {
    std::set<int> widths;
    for (const size_t group : budgets_.groups()) {
      widths.insert(candidates_.groups[group].bits.begin(), candidates_.groups[group].bits.end());
    }
    std::optional<Widths> widest;
    for (const int bits : widths) {
      Widths uniform = budgets_.configured();
      const bool is_possible =
          std::all_of(budgets_.groups().begin(), budgets_.groups().end(), [&](size_t group) {
            const std::vector<int>& own = candidates_.groups[group].bits;
            return std::find(own.begin(), own.end(), bits) != own.end();
          });
      for (const size_t group : budgets_.groups()) uniform[group] = bits;
      if (!is_possible || !budgets_.keeps(uniform)) continue;
      widest = uniform;
      made_.uniform_bits = bits;
    }
    return widest;
  }

  runtime::QuantizerStates states_of(const Widths& widths) const {
    runtime::QuantizerStates states = runtime::all_quantizers(candidates_.network.table, true);
    for (const size_t group : budgets_.groups()) {
      states =
          runtime::changed_states(std::move(states), candidates_.variant(group, widths[group]));
    }
    return states;
  }

  double measured(const Widths& widths) const {
    return finite(meter_.measure("bit search", states_of(widths), {{}}).front().divergence);
  }

  /// The widths next to the present one.
  std::vector<int> neighbours(size_t group) const {
    const std::vector<int>& bits = candidates_.groups[group].bits;
    const auto now = std::find(bits.begin(), bits.end(), best_[group]);
    std::vector<int> found;
    if (now != bits.begin()) found.push_back(*std::prev(now));
    if (std::next(now) != bits.end()) found.push_back(*std::next(now));
    return found;
  }

  /// What one step of one group changes, from the present widths.
  WidthLosses steps_from_here() const {
    std::vector<SensitivityPoint> points;
    std::vector<runtime::QuantizerVariant> variants;
    for (const size_t group : budgets_.groups()) {
      for (const int bits : neighbours(group)) {
        points.push_back({group, bits});
        variants.push_back(candidates_.variant(group, bits));
      }
    }
    const auto losses = meter_.measure("bit search", states_of(best_), variants);
    WidthLosses changes(candidates_.groups.size());
    for (const size_t group : budgets_.groups()) changes[group][best_[group]] = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      changes[points[i].group][points[i].bits] = finite(losses[i].divergence) - made_.divergence;
    }
    return changes;
  }

  /// Many steps at once may undo each other's gains: then only those groups may move that change
  /// most, half as many each time.
  bool improve() {
    constexpr int kTries = 3;
    WidthLosses changes = steps_from_here();
    for (int attempt = 0; attempt < kTries; ++attempt) {
      const std::optional<Widths> next = budgets_.solve(changes);
      if (!next || *next == best_) return false;
      const double divergence = measured(*next);
      made_.steps.push_back(divergence);
      if (divergence < made_.divergence) {
        made_.divergence = divergence;
        best_ = *next;
        return true;
      }
      hold_half(*next, changes);
    }
    return false;
  }

  void hold_half(const Widths& next, WidthLosses& changes) const {
    std::vector<size_t> moved;
    for (const size_t group : budgets_.groups()) {
      if (next[group] != best_[group]) moved.push_back(group);
    }
    std::sort(moved.begin(), moved.end(), [&](size_t a, size_t b) {
      return std::abs(changes[a].at(next[a])) > std::abs(changes[b].at(next[b]));
    });
    for (size_t i = (moved.size() + 1) / 2; i < moved.size(); ++i) {
      changes[moved[i]] = {{best_[moved[i]], 0.0}};
    }
  }

  const BitCandidates& candidates_;
  const LossMeter& meter_;
  const BitSearchOptions& options_;
  BitBudgets budgets_;
  Widths best_;
  BitAssignment made_;
};

}  // namespace

BitAssignment search_bits(const BitCandidates& candidates, const Sensitivity& sensitivity,
                          const LossMeter& meter, const BitSearchOptions& options,
                          const Context& context) {
  return timed(context.log, "bit search",
               [&] { return BitSearch(candidates, meter, options).run(sensitivity); });
}

std::string layer_bits_text(const LayerOverride& bits) {
  std::string text = bits.pattern + "=";
  if (bits.weight_bit_width) text += "W" + std::to_string(*bits.weight_bit_width);
  if (bits.act_bit_width) {
    text += (bits.weight_bit_width ? ",A" : "A") + std::to_string(*bits.act_bit_width);
  }
  return text;
}

std::vector<std::string> assignment_lines(const BitAssignment& assignment) {
  const BitCosts& costs = assignment.costs;
  std::string line = "bits: a mean of " + fixed(costs.mean_weight_bits, 3) + " a weight, " +
                     fixed(costs.bit_operations, 4) + " of the bit operations of W8A8";
  if (costs.bytes) line += ", " + std::to_string(*costs.bytes) + " bytes";
  std::string steps;
  for (const double step : assignment.steps)
    steps += (steps.empty() ? "" : ", ") + significant(step);
  std::vector<std::string> lines = {
      line, "  divergence " + significant(assignment.divergence) + " nats, on the way " + steps};
  if (assignment.uniform_divergence) {
    lines.push_back("  uniformly " + std::to_string(*assignment.uniform_bits) +
                    " bits: " + significant(*assignment.uniform_divergence) + " nats");
  }
  return lines;
}

}  // namespace workflow

BitAssignment search_bits(const ir::Graph& graph, const QuantizeConfig& config,
                          const data::ImageSet& images, const BitSearchOptions& options,
                          const runtime::Execution& execution) {
  const workflow::QuietMeasurement quiet(graph, config, images, options.sensitivity, execution);
  const Sensitivity sensitivity =
      workflow::measure_sensitivity(quiet.candidates, quiet.meter, config, quiet.context);
  return workflow::search_bits(quiet.candidates, sensitivity, quiet.meter, options, quiet.context);
}

}  // namespace ptq
