#pragma once

#include <string_view>
#include <vector>

#include "models/network.h"

namespace ptq::models {

struct HandDefinedOptions {
  int weight_bit_width = 8;
  int act_bit_width = 8;
  int64_t image_size = 224;
  /// The float network that the weights come from: its padding, clamps and eps are taken over.
  /// Null: ReLU, symmetric padding and the eps of the paper's time.
  const ir::Graph* float_network = nullptr;
};

/// A network of this project's own, by the name --model-name gives it.
struct HandDefined {
  std::string_view name;
  /// From the weights of the float model of the same layers. Throws ImportError naming a weight
  /// that is missing, left over, or of another shape.
  QuantizedNetwork (*build)(const Weights& weights, const HandDefinedOptions& options);
};

const std::vector<HandDefined>& hand_defined_networks();

/// nullptr for any other name.
const HandDefined* find_hand_defined(std::string_view name);

}  // namespace ptq::models
