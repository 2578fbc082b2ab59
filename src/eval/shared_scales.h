#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/execution.h"

/// Adds and concats whose operands share a scale that does not suit them.
namespace ptq::eval {

enum class Join { kResidual, kAddedConstant, kConcat };

struct UnevenJoin {
  std::string name;
  Join kind = Join::kResidual;
  /// Largest |x| of the operand that reaches furthest, of the one that reaches least, and of what
  /// the scale that they share has codes for.
  double wide = 0, narrow = 0, scale = 0;
  /// dB that the sum or the concat would gain if each operand had a scale that just reaches it. Or
  /// dB that `loser` would gain: a part of a concat that does not notice, or what reads an operand
  /// of the add, too, where that is more.
  double lost = 0;
  std::string loser;
};

/// Adds and concats of operands of which one reaches at least three times as far as another, and
/// which share a static symmetric scale that spoils the result: its noise is within 25 dB of it,
/// and at least 6 dB more than with scales of the operands' own. Or one of which less than 10 dB
/// are left of a part of the concat, or of the smaller operand of an add for something else that
/// reads it, as a Fourier transform beside which its input is small. The most lost first. Runs the
/// float network on `images`, [N, 3, H, W] float32, if operands share a scale at all.
std::vector<UnevenJoin> uneven_joins(const QuantizedNetwork& network, const at::Tensor& images,
                                     const runtime::Execution& execution);

/// One sentence for each option that helps: the worst, and how many are like it.
std::vector<std::string> words(const std::vector<UnevenJoin>& joins);

}  // namespace ptq::eval
