#pragma once

#include <cstddef>

#include "ptq/ir/graph.h"
#include "ptq/quant/quantizer.h"
#include "runtime/steps/tail.h"

namespace ptq::runtime {

/// Batch normalization as x * factor + summand, [C] each.
struct ChannelAffine {
  at::Tensor factor, summand;
};
ChannelAffine channel_affine(const ir::BatchNorm& op);

/// An elementwise node over a value of `rank` dimensions as tail operations. The value the tail
/// runs on is the node's input `through`; `operand` is the step's input that holds the other one.
Tail tail_of(const ir::Node& node, const quant::QuantizerTable& table, int64_t rank, size_t through,
             int operand);

/// How many operations that is.
std::ptrdiff_t tail_length(const ir::Node& node);

/// Takes away the ceilings from `first` on that the fake quantization behind them has too: values
/// above 6 become the largest code of a scale of at most 6/255, clamped or not. Changes no bit.
void absorb_ceilings(Tail& tail, size_t first);

}  // namespace ptq::runtime
