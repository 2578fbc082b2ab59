#include <algorithm>

#include "backends/fx_rules.h"
#include "ptq/base/error.h"

/// Step 4 of the fx placement (reference-contract 5.2), for an add of a conv and a relu:
///
///   before   add(conv, relu + its own quantizer)
///   after    add(conv + Q, relu + a quantizer of its own sign on Q's scale)
///
/// For a concat the operands take Q whole, sign included.
namespace ptq::backends::fx {
namespace {

/// What must change above an add or concat, collected before anything does.
struct Changes {
  std::vector<ir::ValueId> unquantized;
  std::vector<ir::Node*> identities;
  std::vector<ir::Node*> share_scale;
  std::vector<ir::Node*> share_quantizer;
};

template <class T>
void add_once(std::vector<T>& list, T item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

void collect_changes(const State& state, const ir::Index& index, const ir::Node& node,
                     Alignment alignment, Changes& changes) {
  for (ir::ValueId input : node.inputs) {
    ir::Node* producer = index.producer(input);
    if (producer == nullptr) {
      add_once(changes.unquantized, input);
    } else if (producer->is<ir::FakeQuantize>()) {
      const bool fused = state.fused.count(producer) != 0;
      const bool scale_only = fused && alignment == Alignment::kScale;
      add_once(!fused       ? changes.identities
               : scale_only ? changes.share_scale
                            : changes.share_quantizer,
               producer);
    } else if (state.attentions.region_of(*producer) == state.attentions.region_of(node) &&
               (passes_alignment(*producer) || producer->is<ir::Concat>())) {
      collect_changes(state, index, *producer,
                      producer->is<ir::Concat>() ? Alignment::kQuantizer : alignment, changes);
    } else {
      add_once(changes.unquantized, input);
    }
  }
}

/// Everyone on the scale of `from` moves to the scale of `to`. The divisor is the smallest of all
/// sharers': a signed one among them gives unsigned codes headroom, never a signed one too little.
void unite_scales(State& state, ir::QuantizerId from, ir::QuantizerId to) {
  const quant::ScaleId old_scale = state.table.at(from).scale;
  const quant::ScaleId scale = state.table.at(to).scale;
  if (old_scale == scale) return;
  for (quant::Quantizer& quantizer : state.table.quantizers) {
    if (quantizer.scale == old_scale) quantizer.scale = scale;
  }
  const auto& old = state.table.scales[static_cast<size_t>(old_scale)];
  auto& united = state.table.scales[static_cast<size_t>(scale)];
  united.threshold_divisor = std::min(united.threshold_divisor, old.threshold_divisor);
}

void unite_quantizers(State& state, ir::QuantizerId from, ir::QuantizerId to) {
  unite_scales(state, from, to);
  for (ir::Node& node : state.graph.nodes) {
    auto* fake = node.as<ir::FakeQuantize>();
    if (fake != nullptr && fake->quantizer == from) fake->quantizer = to;
  }
}

/// A fused activation that only shares the scale must not keep the divisor of its own sign: Q's
/// counts (unsigned codes at T = 2^(b-1) next to a signed operand).
void apply(State& state, const Changes& changes, ir::QuantizerId shared) {
  for (ir::Node* node : changes.identities) {
    unite_quantizers(state, node->as<ir::FakeQuantize>()->quantizer, shared);
  }
  for (ir::Node* node : changes.share_quantizer) {
    unite_quantizers(state, node->as<ir::FakeQuantize>()->quantizer, shared);
  }
  for (ir::Node* node : changes.share_scale) {
    unite_scales(state, node->as<ir::FakeQuantize>()->quantizer, shared);
  }
  for (ir::ValueId value : changes.unquantized) quantize_value(state.graph, value, shared);
}

void quantize_each(State& state, const std::vector<ir::ValueId>& values) {
  for (const ir::ValueId value : values) {
    const ir::Index index(state.graph);
    const ir::Node* producer = index.producer(value);
    const Sign sign = is_value_unsigned(state, index, value) ? Sign::kUnsigned : Sign::kSigned;
    const ActivationSite site{producer == nullptr ? "input" : producer->name, sign,
                              channel_axis(state, value)};
    quantize_value(state.graph, value, add_activation_quantizer(state, site));
  }
}

bool is_settled(const State& state, const ir::Index& index, const ir::Node& node,
                Alignment alignment) {
  return can_share_scales(*state.options.activations)
             ? are_inputs_aligned(state, index, node, alignment)
             : are_inputs_quantized(state, index, node);
}

void settle(State& state, const ir::Index& index, const ir::Node& node, Alignment alignment) {
  Changes changes;
  collect_changes(state, index, node, alignment, changes);
  if (!can_share_scales(*state.options.activations)) {
    return quantize_each(state, changes.unquantized);
  }
  const Sign sign = are_inputs_unsigned(state, index, node) ? Sign::kUnsigned : Sign::kSigned;
  apply(state, changes, add_activation_quantizer(state, {node.name, sign}));
}

/// Aligns the first add or concat that is not; false when there is none left.
bool align_next(State& state) {
  const ir::Index index(state.graph);
  for (const ir::Node& node : state.graph.nodes) {
    if (state.attentions.region_of(node) != AttentionMap::kOutside) continue;
    if (!is_quantized_add(state, index, node) && !is_quantized_concat(state, index, node)) continue;
    if (is_released(state, index, node)) continue;
    const Alignment alignment = node.is<ir::Concat>() ? Alignment::kQuantizer : Alignment::kScale;
    if (is_settled(state, index, node, alignment)) continue;
    settle(state, index, node, alignment);
    return true;
  }
  return false;
}

}  // namespace

void align_residuals(State& state) {
  // Every round unites at least two quantizers or adds one where none was.
  const size_t limit = 10 * state.graph.nodes.size() + 100;
  for (size_t round = 0; align_next(state); ++round) {
    if (round == limit) throw InternalError("fx placement does not settle at adds and concats");
  }
}

}  // namespace ptq::backends::fx
