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

}  // namespace ptq::runtime
