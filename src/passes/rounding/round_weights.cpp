#include "ptq/passes/round_weights.h"

#include <optional>

#include "passes/rounding/round_layer.h"
#include "passes/rounding/weight_rows.h"
#include "ptq/base/error.h"
#include "quant/layer_quantizers.h"
#include "runtime/layer_sweep.h"

namespace ptq::passes {
namespace {

using Weights = runtime::Stream::Weights;

bool is_quantized_layer(const ir::Node& node) {
  const ir::Weighted* layer = ir::weighted(node.op);
  return layer != nullptr && layer->weight_quantizer != ir::kNoQuantizer;
}

class Rounding {
 public:
  Rounding(QuantizedNetwork& network, const RoundingOptions& options,
           const OriginalWeights& originals)
      : network_(network), index_(network.graph), options_(options), originals_(originals) {}

  std::vector<RoundedLayer> run(const NextBatch& next_batch) {
    std::vector<runtime::SweepUnit> units;
    for (ir::Node& node : network_.graph.nodes) {
      if (is_quantized_layer(node) && is_wanted(node)) units.push_back(runtime::unit_of(node));
    }
    total_ = static_cast<int64_t>(units.size());
    runtime::SweepOptions sweep;
    sweep.streams = streams();
    sweep.threads = options_.threads;
    sweep.memory_bytes = options_.memory_bytes;
    sweep.original_weights = originals_;
    runtime::sweep(network_, sweep, std::move(units), next_batch,
                   [&](const runtime::SweepStop& stop) { treat(stop); });
    return std::move(reports_);
  }

 private:
  bool is_wanted(const ir::Node& node) const { return !options_.rounds || options_.rounds(node); }

  bool has_float_stream() const { return options_.technique != RoundingTechnique::kGptq; }

  std::vector<runtime::Stream> streams() const {
    if (!has_float_stream()) return {{Weights::kQuantized, options_.quantize_activations}};
    return {{Weights::kQuantized, true}, {Weights::kOriginal, false}};
  }

  at::Tensor original_of(const ir::Node& layer) const {
    const auto known = originals_.find(layer.name);
    return known != originals_.end() ? known->second : ir::weighted(layer.op)->weight.value;
  }

  void treat(const runtime::SweepStop& stop) {
    ir::Node& layer = *stop.unit().nodes.front();
    const LayerProblem problem{layer, network_.table, options_,
                               quant::input_quantizer(index_, layer), original_of(layer)};
    InputMoments::Options wanted;
    wanted.fraction = options_.input_fraction;
    wanted.cross = has_float_stream();
    if (wanted.cross) wanted.float_rows = weight_rows(layer.op, problem.original);
    InputMoments moments(layer.op, wanted);
    const std::vector<double> factors = factors_of(stop);
    for (int64_t batch = 0; batch < stop.batches(); ++batch) {
      add_input(stop, batch, factors, moments);
    }
    std::optional<InputMoments> held_out;
    for (const int64_t batch : held_out_batches(stop)) {
      if (!held_out) held_out.emplace(layer.op, wanted);
      add_input(stop, batch, factors, *held_out);
    }
    reports_.push_back(round_layer(problem, moments, held_out ? &*held_out : nullptr));
    if (options_.on_layer) {
      options_.on_layer(reports_.back(), static_cast<int64_t>(reports_.size()), total_);
    }
  }

  void add_input(const runtime::SweepStop& stop, int64_t batch, const std::vector<double>& factors,
                 InputMoments& moments) const {
    const double factor = factors[static_cast<size_t>(batch)];
    if (has_float_stream()) {
      moments.add(stop.input(0, batch), stop.input(1, batch), factor);
    } else {
      moments.add(stop.input(0, batch), factor);
    }
  }

  /// Evenly over all; none where the rest would be less than half, where the technique looks at a
  /// part of its inputs only, or where accumulators bound its codes.
  std::vector<int64_t> held_out_batches(const runtime::SweepStop& stop) const {
    if (options_.input_fraction < 1 || options_.accumulator) return {};
    std::vector<int64_t> aside;
    double due = 0;
    for (int64_t batch = 0; batch < stop.batches(); ++batch) {
      due += options_.held_out;
      if (due < 1) continue;
      due -= 1;
      aside.push_back(batch);
    }
    const bool leaves_half = 2 * static_cast<int64_t>(aside.size()) <= stop.batches();
    return leaves_half ? aside : std::vector<int64_t>();
  }

  /// GPFQ counts every batch of the loader alike, whatever its size (section 10, row 2); the others
  /// every column.
  std::vector<double> factors_of(const runtime::SweepStop& stop) const {
    std::vector<double> factors(static_cast<size_t>(stop.batches()), 1);
    if (options_.technique != RoundingTechnique::kGpfq) return factors;
    std::unordered_map<int64_t, double> images;
    for (int64_t batch = 0; batch < stop.batches(); ++batch) {
      images[stop.source(batch)] += static_cast<double>(stop.images(batch));
    }
    for (int64_t batch = 0; batch < stop.batches(); ++batch) {
      factors[static_cast<size_t>(batch)] = 1 / images.at(stop.source(batch));
    }
    return factors;
  }

  QuantizedNetwork& network_;
  const ir::Index index_;
  const RoundingOptions& options_;
  const OriginalWeights& originals_;
  int64_t total_ = 0;
  std::vector<RoundedLayer> reports_;
};

void check(const RoundingOptions& options) {
  const bool takes_accumulator =
      options.technique == RoundingTechnique::kGpfq ||
      (options.technique == RoundingTechnique::kGptq && options.quantize_activations);
  if (options.accumulator && !takes_accumulator) {
    throw InternalError("an accumulator's bound needs GPFQ, or GPTQ on quantized activations");
  }
}

}  // namespace

std::vector<RoundedLayer> round_weights(QuantizedNetwork& network, const RoundingOptions& options,
                                        const OriginalWeights& originals,
                                        const NextBatch& next_batch) {
  check(options);
  return Rounding(network, options, originals).run(next_batch);
}

OriginalWeights weights_of(const ir::Graph& graph) {
  OriginalWeights weights;
  for (const ir::Node& node : graph.nodes) {
    if (is_quantized_layer(node)) weights.emplace(node.name, ir::weighted(node.op)->weight.value);
  }
  return weights;
}

void set_weights(ir::Graph& graph, const OriginalWeights& weights) {
  for (ir::Node& node : graph.nodes) {
    if (is_quantized_layer(node)) ir::weighted(node.op)->weight.value = weights.at(node.name);
  }
}

}  // namespace ptq::passes
