#include "ptq/passes/learned_round.h"

#include <algorithm>
#include <optional>

#include "passes/bias_correction/shift_bias.h"
#include "passes/learned_round/blocks.h"
#include "passes/learned_round/image_moments.h"
#include "passes/learned_round/layer_data.h"
#include "passes/learned_round/learn_layer.h"
#include "passes/learned_round/learn_unit.h"
#include "ptq/base/error.h"
#include "ptq/base/invalid_option.h"
#include "runtime/layer_sweep.h"

namespace ptq::passes {
namespace {

std::vector<runtime::SweepUnit> units_of(ir::Graph& graph, const LearnedRoundOptions& options) {
  if (options.scope == RoundingScope::kLayer) return layer_units(graph);
  if (!options.block_name) return structural_blocks(graph);
  std::vector<runtime::SweepUnit> named = named_blocks(graph, *options.block_name);
  if (!named.empty()) return named;
  if (options.blocks_by_name == BlocksByName::kWhereFound) return structural_blocks(graph);
  throw InvalidOption("learned_round.block_name",
                      "no module with quantized weights has such a name", *options.block_name);
}

class Learning {
 public:
  Learning(QuantizedNetwork& network, const LearnedRoundOptions& options, size_t units)
      : network_(network), options_(options), units_(units) {}

  void treat(const runtime::SweepStop& stop) {
    for (ir::Node* node : stop.unit().nodes) {
      if (!is_rounded(*node)) continue;
      report_.original_weights[node->name] = ir::weighted(node->op)->weight.value;
    }
    const std::unique_ptr<LayerObjective> objective = objective_of(stop);
    RoundedUnit unit = objective ? from_objective(stop, *objective) : from_images(stop);
    unit.name = name_of(stop.unit());
    report_.units.push_back(unit);
    if (options_.on_unit) options_.on_unit(unit, report_.units.size(), units_);
  }

  LearnedRoundReport take_report() { return std::move(report_); }

 private:
  MeanError mean_error() const {
    return options_.correct_biases ? MeanError::kLeftToBias : MeanError::kCounts;
  }

  uint64_t seed() const { return options_.seed + report_.units.size(); }

  /// Of a unit of one layer; nullptr where the images themselves are less work, and where dropping
  /// makes the objective another one each step.
  std::unique_ptr<LayerObjective> objective_of(const runtime::SweepStop& stop) const {
    if (stop.unit().nodes.size() > 1 || options_.drop_activations > 0) return nullptr;
    if (!options_.batch_size) return layer_objective(stop, mean_error());
    const ImageAxis axis = axis_of(stop.unit().input);
    if (!ImageMoments::is_worthwhile(stop, axis, *options_.batch_size)) return nullptr;
    return std::make_unique<ImageMoments>(stop, axis, mean_error(),
                                          ImageMoments::Draw{*options_.batch_size, seed()});
  }

  RoundedUnit from_objective(const runtime::SweepStop& stop, LayerObjective& objective) {
    ir::Node& layer = *stop.unit().nodes.front();
    const LearnedWeight learned = learn_layer(layer.op, objective, network_.table, options_);
    ir::weighted(layer.op)->weight.value = learned.weight;
    if (options_.correct_biases) shift_bias(*ir::weighted(layer.op), learned.mean_error.neg());
    return {"", 1, learned.error_before, learned.error_after, learned.moved};
  }

  ImageAxis axis_of(ir::ValueId value) const {
    return image_axis(network_.graph.values[static_cast<size_t>(value)].shape);
  }

  ValueOfImages images(const runtime::SweepStop& stop, ir::ValueId value,
                       ValueOfImages::Load load) const {
    std::vector<int64_t> counts;
    for (int64_t batch = 0; batch < stop.batches(); ++batch) counts.push_back(stop.images(batch));
    return {counts, std::move(load), axis_of(value)};
  }

  RoundedUnit from_images(const runtime::SweepStop& stop) {
    const runtime::SweepUnit& unit = stop.unit();
    const UnitImages all{
        images(stop, unit.input, [&](int64_t i) { return stop.input(kQuantizedStream, i); }),
        images(stop, unit.input, [&](int64_t i) { return stop.input(kOriginalStream, i); }),
        images(stop, unit.output, [&](int64_t i) { return stop.output(kOriginalStream, i); })};
    UnitNetwork network(network_, unit);
    std::optional<UnitPlan> plan;
    if (UnitPlan::fits(network_.graph, unit)) {
      const int64_t count = all.quantized.count();
      plan.emplace(network_, unit,
                   UnitPlan::Step{std::min(options_.batch_size.value_or(count), count),
                                  options_.activation_learning_rate > 0});
    }
    return learn_unit(network, plan ? &*plan : nullptr, all, network_.table, options_, seed());
  }

  QuantizedNetwork& network_;
  const LearnedRoundOptions& options_;
  size_t units_;
  LearnedRoundReport report_;
};

/// Learning takes minutes: what cannot be rounded is said before.
void require_integers(const QuantizedNetwork& network) {
  for (const ir::Node& node : network.graph.nodes) {
    if (!is_rounded(node)) continue;
    if (network.table.at(ir::weighted(node.op)->weight_quantizer).integer() != nullptr) continue;
    throw QuantizationError(node.name +
                            ": rounding can be learned only for integers, not for minifloats");
  }
}

}  // namespace

LearnedRoundReport learn_rounding(QuantizedNetwork& network, const LearnedRoundOptions& options,
                                  const NextBatch& next_batch) {
  require_integers(network);
  std::vector<runtime::SweepUnit> units = units_of(network.graph, options);
  Learning learning(network, options, units.size());
  runtime::SweepOptions sweep;
  sweep.streams = {{runtime::Stream::Weights::kQuantized, true},
                   {runtime::Stream::Weights::kOriginal, false}};
  sweep.threads = options.threads;
  sweep.memory_bytes = options.memory_bytes;
  runtime::sweep(network, sweep, std::move(units), next_batch,
                 [&](const runtime::SweepStop& stop) { learning.treat(stop); });
  return learning.take_report();
}

}  // namespace ptq::passes
