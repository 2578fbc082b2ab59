#pragma once

#include <string>
#include <vector>

#include "ptq/quant/quantized_network.h"

namespace ptq::runtime {

/// What a layer, or a product of two values, computes in.
struct LayerArithmetic {
  std::string layer;
  bool on_integers = false;
  /// Why not: "its input is not quantized". Empty where it runs on integers.
  std::string reason;
};

/// What a plan with Arithmetic::kInteger does with every layer and product of a quantized network,
/// in execution order.
std::vector<LayerArithmetic> layer_arithmetic(NetworkView network);

}  // namespace ptq::runtime
