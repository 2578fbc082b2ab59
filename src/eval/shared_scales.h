#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/execution.h"

/// Adds whose operands share a scale that does not suit them.
namespace ptq::eval {

struct UnevenAdd {
  std::string name;
  /// Largest |x| of the operand that reaches furthest, of the other one, and of what the scale that
  /// they share has codes for.
  double wide = 0, narrow = 0, scale = 0;
  /// dB that the sum would gain if each operand had a scale that just reaches it. Or, where that is
  /// more, dB that `reader` would gain: it reads the operand that reaches less, too.
  double lost = 0;
  std::string reader;
};

/// Residual adds of operands of which one reaches at least three times as far, and which share a
/// static symmetric scale that spoils the sum: its noise is within 25 dB of it, and at least 6 dB
/// more than with scales of the operands' own. Or one that spoils the smaller operand for something
/// else that reads it, as a Fourier transform beside which its input is small: of that, less than
/// 10 dB are left. The most lost first. A constant operand makes no residual. Runs the float
/// network on `images`, [N, 3, H, W] float32, if two operands share a scale at all.
std::vector<UnevenAdd> uneven_adds(const QuantizedNetwork& network, const at::Tensor& images,
                                   const runtime::Execution& execution);

/// One sentence that names the worst and counts the others; none for none.
std::vector<std::string> words(const std::vector<UnevenAdd>& adds);

}  // namespace ptq::eval
