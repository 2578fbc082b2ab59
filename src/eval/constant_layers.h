#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "ptq/quant/quantized_network.h"
#include "ptq/runtime/execution.h"

namespace ptq::eval {

/// The first layer or activation quantizer, in execution order, whose output is the same for every
/// image although it reads something of them.
struct ConstantLayer {
  std::string name;
  /// The output is zero everywhere.
  bool is_zero = false;
  /// Layers and quantizers behind it that are constant too.
  int64_t after = 0;
};

/// Runs the quantized network, on one core, on a few images, [N, 3, H, W] float32, and compares
/// what each convolution, linear layer and activation quantizer makes of them; images beyond two
/// are looked at only where something seems constant. Nothing for fewer than two images, and where
/// all images are equal.
std::optional<ConstantLayer> constant_layer(const QuantizedNetwork& network,
                                            const at::Tensor& images,
                                            const runtime::Execution& execution);

}  // namespace ptq::eval
