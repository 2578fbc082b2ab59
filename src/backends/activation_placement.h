#pragma once

#include <string>
#include <utility>
#include <vector>

#include "backends/attention.h"
#include "ir/facts.h"
#include "ptq/backends/placement.h"

namespace ptq::backends {

/// A graph being placed, and the quantizers it has so far.
struct Draft : QuantizedNetwork {
  const PlacementOptions& options;
  AttentionMap attentions;
  /// By value of the graph before placement.
  std::vector<bool> masked;

  Draft(ir::Graph unplaced, const PlacementOptions& options_)
      : QuantizedNetwork{std::move(unplaced), {}},
        options(options_),
        attentions(graph),
        masked(ir::masked_values(graph)) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  /// Whether `value` holds numbers that stand for minus infinity (ir/facts.h). It gets no
  /// quantizer, and so has no part in any range.
  bool is_masked(ir::ValueId value) const {
    return static_cast<size_t>(value) < masked.size() && masked[static_cast<size_t>(value)];
  }
};

/// What a place says about its quantizer: whom it is named after, which values come there, and
/// along which dimension groups lie (counted from the end if negative).
struct ActivationSite {
  std::string layer;
  Sign sign = Sign::kSigned;
  int64_t group_axis = -1;
};

/// A new activation quantizer as `options` ask. Codes are unsigned where they are asymmetric, or
/// where integers meet an unsigned site and unsigned values are wanted.
ir::QuantizerId add_activation_quantizer(Draft& draft, const ActivationOptions& options,
                                         const ActivationSite& site);
/// The same with the options of the draft.
ir::QuantizerId add_activation_quantizer(Draft& draft, const ActivationSite& site);

/// Whether one scale may serve several values: dynamic ones and groups find it in each value anew.
bool can_share_scales(const ActivationOptions& options);

/// The dimension of its input that a Conv, ConvTranspose or Linear sums over.
int64_t summed_axis(const ir::Node& layer);

/// ir::channel_axis in the graph as it is.
int64_t channel_axis(Draft& draft, ir::ValueId value);

/// Whether quantize_value would leave `value` a reader: not if all need it exact
/// (ir/domains.h).
bool is_read_quantized(const ir::Index& index, ir::ValueId value);

/// Puts a FakeQuantize behind `value` for all its users but those that need it exact, or for one of
/// them. What is rounded to zero makes infinities as a divisor, and stays zero where it is divided
/// by its own norm.
ir::Node& quantize_value(ir::Graph& graph, ir::ValueId value, ir::QuantizerId quantizer);
ir::Node& quantize_edge(ir::Graph& graph, ir::Node& user, size_t input, ir::QuantizerId quantizer);

/// Quantizers at the operands of both products of an attention (reference-contract 5.6): always
/// symmetric.
void quantize_operands(Draft& draft, const Attention& attention);

}  // namespace ptq::backends
