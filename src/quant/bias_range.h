#pragma once

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"

/// A bias has the scale s_in * s_w, so that it can be added to the sums of a layer. Beside tiny
/// weights an ordinary bias then needs more codes than it has (what merging a batch norm with a
/// small factor and a usual bias leaves), and saturates.
namespace ptq::quant {

/// How many biases of a layer have no code of their own. Zero of zero without a bias quantizer.
struct BiasRange {
  int64_t outside = 0;
  int64_t of = 0;
  int bit_width = 0;
};
BiasRange bias_range(const ir::Index& index, const ir::Node& node, const QuantizerTable& table);

/// Raises the scale of the layer's weight, channel by channel where it has one each, to the least
/// at which the biases fit with a tenth to spare, wherever the coarser weights are expected to cost
/// less than the bias that would be cut off:
///
///   sum over a channel of min(s^2 / 12, w^2) * E[x^2]  <  (|b| - what fits)^2
///
/// with E[x^2] of values spread evenly over the codes of the input. Returns the number of output
/// channels whose weights have a new scale. The reference leaves such biases saturated
/// (docs/differences.md).
int64_t fit_weight_scale_to_bias(const ir::Index& index, const ir::Node& node,
                                 QuantizerTable& table);

/// The least scale of the layer's input at which no bias is cut off that is not yet, and none more
/// than now; 0 for a layer whose bias has no quantizer.
double least_input_scale(const ir::Index& index, const ir::Node& node, const QuantizerTable& table);

}  // namespace ptq::quant
