#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ptq/quant/quantizer.h"

namespace ptq::passes {

/// Which elements keep their float value (QDrop, equation 6): each with `probability`, by a hash of
/// `seed` and its position, so that threads do not matter.
struct Dropping {
  double probability = 0;
  uint32_t seed = 0;
  /// Position of the first element, where not all of a step's images are together.
  uint32_t first = 0;

  /// The same probability and position, other elements.
  Dropping of(uint32_t number) const;
};

/// x where dropped, else y; of one shape and layout.
at::Tensor mixed(const at::Tensor& x, const at::Tensor& y, const Dropping& dropping);

/// An activation quantizer's output, and where a derivative passes: through elements that keep
/// their float value, and straight through rounding, but not where codes clip.
struct Quantized {
  at::Tensor value;
  /// uint8, in the layout of `value`.
  at::Tensor passes;
};
Quantized quantize_with_dropping(const at::Tensor& x, const quant::QuantizerTable& table,
                                 ir::QuantizerId id, const Dropping& dropping);

/// `gradient` where it passes, else 0.
at::Tensor passed(const at::Tensor& gradient, const at::Tensor& passes);

}  // namespace ptq::passes
